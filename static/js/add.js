// The Add WebJob form: fields follow Type and Triggers.

import { $, $$ } from "./dom.js";
import { onContent } from "./panel.js";

function follow(form) {
  const type = form.elements.type;
  const triggers = form.elements.triggers;
  const update = () => {
    const triggered = type.value === "triggered";
    const scheduled = triggered && triggers.value === "scheduled";
    $('[data-field="triggers"]', form).hidden = !triggered;
    $('[data-field="cron"]', form).hidden = !scheduled;
    $(".info-box", form).hidden = !scheduled;
    form.elements.scale.disabled = triggered || "fixed" in form.elements.scale.dataset;
    if (triggered && !("fixed" in form.elements.scale.dataset)) form.elements.scale.value = "multi";
  };
  type.addEventListener("change", update);
  triggers.addEventListener("change", update);
  update();
}

onContent((root) => {
  for (const form of $$("form.add-webjob", root)) follow(form);
});
