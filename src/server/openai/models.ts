// GET /v1/models and /v1/models/{id}: the model list as OpenAI's clients read it. Ids hold "/" and ":" as they are.
import { NotFoundError, show } from "../../base/errors.ts";
import type { ListedModel } from "../../store/index.ts";
import { HttpError } from "../errors.ts";
import type { ModelCatalogue } from "../model-pool.ts";

const toModel = ({ name, addedAt, builtIn }: ListedModel) => ({
  id: name,
  object: "model",
  created: Math.floor(addedAt / 1000),
  owned_by: builtIn ? "liang" : (name.split("/")[0] ?? name),
});

/** All models whose files are there. */
export async function listModels(catalogue: ModelCatalogue): Promise<Response> {
  const models = (await catalogue.list()).filter((model) => model.bytes !== null);
  return Response.json({ object: "list", data: models.map(toModel) });
}

/** One model. Throws HttpError 404 "model_not_found". */
export async function getModel(catalogue: ModelCatalogue, id: string): Promise<Response> {
  const found = await catalogue.find(id).catch(asModelNotFound);
  return Response.json(toModel(found));
}

/** Gives a missing model the code that OpenAI's clients know. */
export function asModelNotFound(error: unknown): never {
  if (!(error instanceof NotFoundError)) throw error;
  throw new HttpError(404, "model_not_found", error.message, { param: "model" });
}

/** Throws for an id that is no valid text in an address. */
export function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(404, "model_not_found", `There is no model called ${show(text)}.`, { param: "model" });
  }
}
