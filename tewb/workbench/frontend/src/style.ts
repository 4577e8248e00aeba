/** The style sheet, once for each document or shadow root that a widget is in. */
import sheet from "./style.css";

export function addStyle(el: HTMLElement): void {
  const root = el.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector("style[data-tewb]")) return;
  const style = document.createElement("style");
  style.dataset["tewb"] = "";
  style.textContent = sheet;
  place.append(style);
}
