// What a model's keys and values may be kept as, for who reads it from words.
export { type StateType as CacheType, stateTypes as cacheTypes } from "../graph/tensor.ts";
