/** The style sheet, once for each document or shadow root that a widget is in; that of a newer page replaces an older one. */
import sheet from "./style.css";

export function addStyle(el: HTMLElement): void {
  const root = el.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  let style = place.querySelector<HTMLStyleElement>("style[data-tewb]");
  if (!style) {
    style = document.createElement("style");
    style.dataset["tewb"] = "";
    place.append(style);
  }
  if (style.textContent !== sheet) style.textContent = sheet;
}
