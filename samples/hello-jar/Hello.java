public class Hello {
    public static void main(String[] arguments) {
        System.out.println("Hello from a .jar WebJob");
        System.out.println("Arguments: " + String.join(" ", arguments));
        for (String name : new String[] {"NAME", "TYPE", "RUN_ID", "PATH", "DATA_PATH"}) {
            String value = System.getenv("WEBJOBS_" + name);
            System.out.println("WEBJOBS_" + name + "=" + (value == null ? "" : value));
        }
    }
}
