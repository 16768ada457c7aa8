// For Node: the instances live in threads, and a directory can keep what they must not lose.

export * from "./index";
export { directory } from "./directory";
