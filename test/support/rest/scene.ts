import type { RestWorld } from './world.ts'

/** The request for one operation that is to succeed. */
export interface SceneRequest {
  /** What stands in the path in place of `{id}` and the like. */
  params?: Record<string, string>
  query?: Record<string, string>
  body?: unknown
  headers?: Record<string, string>
}

/** Makes what an operation is about, and says how it is asked for. Runs more than once. */
export type Scene = (world: RestWorld) => Promise<SceneRequest>

/** The scenes of a resource, by `operationId`. */
export type Scenes = Readonly<Record<string, Scene>>
