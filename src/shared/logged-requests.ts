/** Which requests the request log has: of the management API, all but bytes, or none. */
export const loggedRequests = ['api', 'all', 'off'] as const

export type LoggedRequests = (typeof loggedRequests)[number]
