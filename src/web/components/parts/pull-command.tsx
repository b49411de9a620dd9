// The exact command that gets a model one can talk with: 1.1 GB, quick on two cores, good in Chinese and English.
import type { ReactElement } from "react";
import { Command } from "./command.tsx";

const COMMAND = "./liang pull Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M";

export const PullCommand = (): ReactElement => <Command text={COMMAND} />;
