console.log("Hello from a .js WebJob");
console.log("Arguments:", ...process.argv.slice(2));
for (const name of ["NAME", "TYPE", "RUN_ID", "PATH", "DATA_PATH"]) {
  console.log(`WEBJOBS_${name}=${process.env[`WEBJOBS_${name}`] ?? ""}`);
}
