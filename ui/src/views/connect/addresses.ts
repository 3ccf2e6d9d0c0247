import type { Listening, Status } from "../../generated/api.ts";
import type { Addresses } from "./snippets.ts";

/** What a program on this machine is told of a bound address: a socket on every interface is reached by loopback. */
export function reachable(address: string): string {
  return `http://${address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:")}`;
}

function url(doors: Listening[], name: string, fallback: number): string {
  const door = doors.find((each) => each.name === name);
  const address = door?.addresses.find((each) => !each.startsWith("[")) ?? door?.addresses[0];
  if (address === undefined) return `http://127.0.0.1:${door?.port || fallback}`;
  return reachable(address);
}

/** Where programs send to, by the sockets that are bound. */
export function addresses(status: Status | undefined): Addresses {
  const doors = status?.listening ?? [];
  return { grpc: url(doors, "grpc", 4317), http: url(doors, "http", 4318) };
}
