// The view of runs: the list, the charts of those on show, and of one of them its samples, checkpoints, recipe and data.
import { useEffect, useMemo, type ReactElement } from "react";
import { useStore } from "../../hooks/use-store.ts";
import { toggleSidebar } from "../../state/places.ts";
import { preferences } from "../../state/preferences.ts";
import { focusRun, runStore, watchRuns } from "../../state/runs.ts";
import { Command } from "../parts/command.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { Charts } from "./charts.tsx";
import { RecipeDifferences } from "./recipe-differences.tsx";
import { Checkpoints, RunFacts } from "./run-facts.tsx";
import { RunTable } from "./run-table.tsx";
import { SamplesView } from "./samples-view.tsx";
import { useTrainingWords } from "./words.ts";
import "../../styles/charts.css";
import "../../styles/runs.css";

export default function RunsView({ covered }: { readonly covered: boolean }): ReactElement {
  const { t, tt } = useTrainingWords();
  const sidebarOpen = useStore(preferences, (state) => state.sidebarOpen);
  const { list, shown, error } = useStore(runStore, (state) => state);
  useEffect(watchRuns, []);
  return (
    <main className="sheet" aria-label={tt("training")} inert={covered}>
      <header className="top-bar">
        {!sidebarOpen && (
          <IconButton icon="sidebar" label={t("showSidebar")} aria-expanded={false} onClick={toggleSidebar} />
        )}
        <h1 className="runs-title">{tt("training")}</h1>
      </header>
      <div className="scroller" tabIndex={-1}>
        <div className="runs-column">
          {error !== undefined && <ErrorNote error={error} onDismiss={() => runStore.set({ error: undefined })} />}
          {list?.length === 0 && <NoRuns />}
          {list !== undefined && list.length > 0 && (
            <>
              <RunTable list={list} />
              {shown.length === 0 ? <p className="run-note">{tt("pickRuns")}</p> : <Charts />}
              <Focus />
            </>
          )}
        </div>
      </div>
    </main>
  );
}

function NoRuns(): ReactElement {
  const { tt } = useTrainingWords();
  return (
    <section className="no-runs">
      <h2>{tt("noRuns")}</h2>
      <p>{tt("noRunsHint")}</p>
      <Command text="./liang train pretrain --recipe recipes/stories.jsonc" />
    </section>
  );
}

/** All that is told of one run, with tabs where several are on show. */
function Focus(): ReactElement | null {
  const { tt } = useTrainingWords();
  const { shown, focus, details, curves, version } = useStore(runStore, (state) => state);
  const samples = useMemo(
    () => [...((focus === undefined ? undefined : curves.get(focus)?.samples) ?? [])],
    [focus, curves, version],
  );
  const known = useMemo(
    () =>
      shown.flatMap(({ name, slot }) => {
        const run = details.get(name);
        return run === undefined ? [] : [{ ...run, slot }];
      }),
    [shown, details],
  );
  const run = known.find(({ name }) => name === focus);
  if (run === undefined) return null;
  return (
    <>
      {known.length > 1 && <RecipeDifferences runs={known} />}
      {known.length > 1 && (
        <div className="run-tabs" role="tablist" aria-label={tt("runs")}>
          {known.map(({ name, slot }) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={name === focus}
              className={`slot-${slot + 1} line`}
              onClick={() => focusRun(name)}
            >
              {name}
            </button>
          ))}
        </div>
      )}
      <div className="run-parts">
        <SamplesView key={run.name} samples={samples} />
        <div className="run-side">
          <Checkpoints run={run} />
          <RunFacts run={run} />
        </div>
      </div>
    </>
  );
}
