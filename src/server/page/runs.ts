// The routes of runs of training: what there is, and what was measured since one last asked. Reads alone. A page that
// watches asks again every few seconds; a stream each would take the few connections that a browser gives a server.
import { Hono } from "hono";
import type * as store from "../../store/index.ts";
import type { RunData, RunDetails, RunList, RunMetrics, RunOverview } from "../api-types.ts";
import { check } from "../body.ts";
import { metricsQuery } from "./schemas.ts";

/** The routes under /api/runs. */
export function runRoutes(runs: store.RunReader): Hono {
  const app = new Hono();

  app.get("/api/runs", async (c) => c.json<RunList>({ runs: (await runs.list()).map(toOverview) }));

  app.get("/api/runs/:name", async (c) => {
    const { recipe, data, checkpoints, ...overview } = await runs.details(c.req.param("name"));
    return c.json<RunDetails>({
      ...toOverview(overview),
      recipe,
      data: data === null ? null : toData(data as unknown as DataCard),
      checkpoints: checkpoints.map(({ step, model, savedAt }) => ({ step, model, savedAt })),
    });
  });

  app.get("/api/runs/:name/metrics", async (c) => {
    const { after } = check(metricsQuery, c.req.query());
    const { metrics, next, isWhole } = await runs.metrics(c.req.param("name"), after);
    return c.json<RunMetrics>({ metrics, next, isWhole });
  });

  app.get("/api/runs/:name/report", async (c) => {
    const name = c.req.param("name");
    const [run, { metrics: lines }] = [await runs.details(name), await runs.metrics(name)];
    const { runReport } = await import("../../eval/report/run-report.ts"); // of no use to a page without runs
    c.header("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name)}.html`);
    return c.html(runReport({ run, lines, at: new Date() }));
  });

  return app;
}

function toOverview({ facts, ...progress }: store.RunOverview): RunOverview {
  const { name, stage, parameters, steps, startedAt, tier, precision, code, dataHash } = facts;
  return { name, stage, parameters, steps, startedAt, tier, precision, code, dataHash, ...progress };
}

/** Of a card as `liang data prepare` writes it. */
interface DataCard {
  readonly total: {
    readonly exactDuplicates: number;
    readonly nearDuplicates: number;
    readonly train: { readonly documents: number; readonly characters: number };
    readonly validation: { readonly documents: number; readonly characters: number };
  };
  readonly sources: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly licence?: string;
  }[];
}

function toData({ total, sources }: DataCard): RunData {
  const { train, validation, exactDuplicates, nearDuplicates } = total;
  return {
    documents: { train: train.documents, validation: validation.documents },
    characters: { train: train.characters, validation: validation.characters },
    duplicates: { exact: exactDuplicates, near: nearDuplicates },
    sources: sources.map(({ path, bytes, sha256, licence }) => ({ path, bytes, sha256, licence: licence ?? null })),
  };
}
