// The fields in which recipes differ. Pure.

export interface Difference {
  /** As batch.rows. */
  readonly field: string;
  /** In the order of the recipes, as JSON; undefined where a recipe has no such field. */
  readonly values: readonly (string | undefined)[];
}

export function differences(recipes: readonly Readonly<Record<string, unknown>>[]): Difference[] {
  const flattened = recipes.map((recipe) => flat(recipe));
  const fields = new Set(flattened.flatMap((recipe) => [...recipe.keys()]));
  return [...fields]
    .map((field) => ({ field, values: flattened.map((recipe) => recipe.get(field)) }))
    .filter(({ values }) => new Set(values).size > 1);
}

function flat(value: unknown, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([[path, typeof value === "string" ? value : JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, inner]) => [...flat(inner, path === "" ? key : `${path}.${key}`)]),
  );
}
