/** What each widget carries as its `_esm`: it fetches the page once for the notebook and hands the widget over to it. */

interface Model {
  get(name: string): unknown;
  widget_manager: { get_model(id: string): Promise<Model> };
}
type Page = { render(context: { model: Model; el: HTMLElement }): () => void };

declare global {
  var tewbPages: Map<string, Promise<Page>> | undefined;
}

async function page(model: Model): Promise<Page> {
  const reference = String(model.get("page")).replace("IPY_MODEL_", "");
  const kept = await model.widget_manager.get_model(reference);
  const pages = (globalThis.tewbPages ??= new Map());
  const version = String(kept.get("version"));
  let known = pages.get(version);
  if (!known) {
    const url = URL.createObjectURL(new Blob([String(kept.get("code"))], { type: "text/javascript" }));
    known = import(url).finally(() => URL.revokeObjectURL(url)) as Promise<Page>;
    pages.set(version, known);
  }
  return known;
}

export default {
  async render(context: { model: Model; el: HTMLElement }) {
    return (await page(context.model)).render(context);
  },
};
