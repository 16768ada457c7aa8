// An optional companion on Node 20; Node 22 has a WebSocket of its own.
declare module "ws" {
  export const WebSocket: import("./node-socket").InnerClass;
}
