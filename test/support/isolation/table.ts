/**
 * Who is answered what by the REST API, by what should be so. A row is an operation, a column a
 * kind of caller (callers.ts), a cell one sign for each target:
 *
 *     +  done      x  403 FORBIDDEN      -  404      0  done, to nothing
 *     !  409: it was allowed, and is not possible
 *     u  401 UNAUTHENTICATED
 *     o  404 of the organization: what is in it is not even looked for
 *
 * `targets` names them: `own` is what the caller made, in the project they act in; `other` somebody
 * else's in the project A1, `next` the other project of A, `ours` what belongs to the organization A; `absent` is asked for twice,
 * as something of an organization that none of them is in and as something that there is not, and
 * `within` the same below the organization A. Both times all of the answer must be the same.
 * `404` lists the codes of `-`, one for each kind of target that has it or one for all.
 */
export const table = `
operation                  | ok  | targets          | owner admin devel membr viewr billg audit siblg strng outsd key   readr routd jwt   nobdy | 404
getMe                      | 200 |                  | +     +     +     +     +     +     +     +     +     +     +     +     +     +        u     |
listOrganizations          | 200 |                  | +     +     +     +     +     +     +     +     +     +     +     +     +     +        u     |
createOrganization         | 201 |                  | +     +     +     +     +     +     +     +     +     +     x     x     x     x        u     |
getOrganization            | 200 | ours absent      | +-    +-    +-    +-    +-    +-    +-    +-    --    --    --    --    --    --       uu    | ORGANIZATION_NOT_FOUND
updateOrganization         | 200 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
deleteOrganization         | 204 | ours absent      | !-    x-    xx    xx    xx    xx    xx    !-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
listMembers                | 200 | ours absent      | +-    +-    +-    +-    +-    +-    +-    +-    --    --    --    --    --    --       uu    | ORGANIZATION_NOT_FOUND
getMember                  | 200 | ours absent within | +-- +--   +--   +--   +--   +--   +--   +--   --o   --o   --o   --o   --o   --o        uuu   | ORGANIZATION_NOT_FOUND MEMBER_NOT_FOUND
updateMember               | 200 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND MEMBER_NOT_FOUND
removeMember               | 204 | ours absent within | +-- +--   x--   x--   x--   x--   x--   +--   --o   --o   --o   --o   --o   --o        uuu   | ORGANIZATION_NOT_FOUND MEMBER_NOT_FOUND
listInvitations            | 200 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
createInvitation           | 201 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
getInvitation              | 200 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND INVITATION_NOT_FOUND
revokeInvitation           | 204 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND INVITATION_NOT_FOUND
acceptInvitation           | 200 | ours absent      | --    --    --    --    --    --    --    --    --    --    --    --    --    --       uu    | INVITATION_NOT_FOUND
listTeams                  | 200 | ours absent      | +-    +-    +-    +-    +-    +-    +-    +-    --    --    --    --    --    --       uu    | ORGANIZATION_NOT_FOUND
createTeam                 | 201 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
getTeam                    | 200 | ours absent within | +-- +--   +--   +--   +--   +--   +--   +--   --o   --o   --o   --o   --o   --o        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
updateTeam                 | 200 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
deleteTeam                 | 204 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
listTeamMembers            | 200 | ours absent within | +-- +--   +--   +--   +--   +--   +--   +--   --o   --o   --o   --o   --o   --o        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
addTeamMember              | 204 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
removeTeamMember           | 204 | ours absent within | +-- +--   xxx   xxx   xxx   xxx   xxx   +--   --o   xxx   --o   xxx   --o   xxx        uuu   | ORGANIZATION_NOT_FOUND TEAM_NOT_FOUND
listProjects               | 200 |                  | +     +     +     +     +     +     +     +     +     +     +     +     +     +        u     |
listProjectsOfOrganization | 200 | ours absent      | +-    +-    +-    +-    +-    +-    +-    +-    --    --    --    --    --    --       uu    | ORGANIZATION_NOT_FOUND
createProject              | 201 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | ORGANIZATION_NOT_FOUND
getProject                 | 200 | own next absent  | ++-   ++-   ++-   xxx   ++-   xxx   xxx   ++-   +--   xxx   +--   xxx   ---   xxx      uuu   | PROJECT_NOT_FOUND
updateProject              | 200 | own next absent  | ++-   ++-   xxx   xxx   xxx   xxx   xxx   ++-   +--   xxx   +--   xxx   ---   xxx      uuu   | PROJECT_NOT_FOUND
deleteProject              | 200 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | PROJECT_NOT_FOUND
restoreProject             | 200 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | PROJECT_NOT_FOUND
transferProject            | 202 | ours absent      | +-    +-    xx    xx    xx    xx    xx    +-    --    xx    --    xx    --    xx       uu    | PROJECT_NOT_FOUND
listApiKeys                | 200 |                  | +     +     +     x     x     x     x     +     +     x     +     x     x     x        u     |
createApiKey               | 201 |                  | +     +     +     x     x     x     x     +     +     x     +     x     x     x        u     |
getApiKey                  | 200 | own other absent | ++-   ++-   ++-   xxx   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   ---   xxx      uuu   | KEY_NOT_FOUND
revokeApiKey               | 204 | own other absent | ++-   ++-   ++-   xxx   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   ---   xxx      uuu   | KEY_NOT_FOUND
rotateApiKey               | 200 | own other absent | ++-   ++-   ++-   xxx   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   ---   xxx      uuu   | KEY_NOT_FOUND
listFiles                  | 200 |                  | +     +     +     +     +     x     +     +     +     x     +     +     +     +        u     |
deleteFiles                | 200 | own other absent | ++0   ++0   ++0   +00   xxx   xxx   xxx   +00   +00   xxx   ++0   xxx   +00   +00      uuu   |
uploadFileFromUrl          | 201 |                  | +     +     +     x     x     x     x     +     +     x     +     x     x     x        u     |
signFiles                  | 200 | own other absent | ++0   ++0   ++0   ++0   xxx   xxx   xxx   +00   +00   xxx   ++0   xxx   +00   ++0      uuu   |
getFileByCustomId          | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   xxx   +--   +--   +--   xxx   ++-   ++-   +--   ++-      uuu   | FILE_NOT_FOUND
getFile                    | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   xxx   +--   +--   +--   xxx   ++-   ++-   +--   ++-      uuu   | FILE_NOT_FOUND
updateFile                 | 200 | own other absent | ++-   ++-   ++-   +x-   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   +x-      uuu   | FILE_NOT_FOUND
deleteFile                 | 204 | own other absent | ++-   ++-   ++-   +x-   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   +x-      uuu   | FILE_NOT_FOUND
restoreFile                | 200 | own other absent | ++-   ++-   ++-   +x-   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   +x-      uuu   | FILE_NOT_FOUND
signFile                   | 200 | own other absent | ++-   ++-   ++-   ++-   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   ++-      uuu   | FILE_NOT_FOUND
listUploads                | 200 |                  | +     +     +     +     +     x     +     +     +     x     +     +     +     +        u     |
createUpload               | 201 |                  | +     +     +     x     x     x     x     +     +     x     +     x     x     x        u     |
getUpload                  | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   xxx   +--   +--   +--   xxx   ++-   ++-   +--   ++-      uuu   | UPLOAD_NOT_FOUND
cancelUpload               | 204 | own other absent | ++-   ++-   ++-   +x-   xxx   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   +x-      uuu   | UPLOAD_NOT_FOUND
listEvents                 | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   xxx   xxx   +--   +--   xxx   ++-   xxx   +--   ++-      uuu   | TOPIC_NOT_FOUND
listJobs                   | 200 |                  | +     +     +     x     x     x     x     +     +     x     +     x     x     x        u     |
retryJobs                  | 200 |                  | +     +     x     x     x     x     x     +     +     x     +     x     x     x        u     |
getSettings                | 200 |                  | +     +     +     x     +     x     x     +     +     x     +     x     x     x        u     |
getUsage                   | 200 |                  | +     +     +     x     +     +     x     +     +     x     +     x     x     x        u     |
setQuota                   | 200 |                  | +     +     x     x     x     x     x     +     +     x     +     x     x     x        u     |
listAuditEntries           | 200 |                  | +     +     x     x     x     x     +     +     +     x     +     x     x     x        u     |
listLoggedRequests         | 200 |                  | +     +     x     x     x     x     +     +     +     x     +     x     x     x        u     |
`
