// Where packed weights are kept: the data folder, unless the caller wants none of it.
import { dataFolder } from "#platform";
import { type PackCache, openPackCache, packedFolder } from "../store/pack-cache.ts";
import type { LoadOptions } from "./types.ts";

export const openPacks = ({ packCache = true }: LoadOptions): PackCache | undefined =>
  packCache ? openPackCache(packedFolder(dataFolder())) : undefined;
