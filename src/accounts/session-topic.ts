/** On `carcosa.session` of the channel: the id of a user, or `*` for all of them. */
export const sessionTopic = 'session'
