/** The same as table.ts of what there is beside the REST API; rows are explained in paths.ts. */
export const pathsTable = `
request         | ok  | targets          | owner admin devel membr viewr billg audit siblg strng outsd key   readr routd jwt   nobdy | 404
POST            | 201 |                  | +     +     +     +     x     x     x     +     +     x     +     x     x     +        u     |
prepare         | 200 |                  | +     +     +     +     x     x     x     +     +     x     +     x     x     +        u     |
HEAD            | 200 | own other absent | +x-   +x-   +x-   +x-   xx-   ---   x--   +--   +--   ---   +x-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
PATCH           | 204 | own other absent | +x-   +x-   +x-   +x-   xx-   ---   x--   +--   +--   ---   +x-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
override        | 204 | own other absent | +x-   +x-   +x-   +x-   xx-   ---   x--   +--   +--   ---   +x-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
DELETE          | 204 | own other absent | ++-   ++-   ++-   +x-   xx-   ---   x--   +--   +--   ---   ++-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
status          | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   +--   +--   +--   ---   ++-   ++-   +--   ++-      ---   | UPLOAD_NOT_FOUND
finish          | 400 | own other absent | +x-   +x-   +x-   +x-   xx-   ---   x--   +--   +--   ---   +x-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
DELETE file     | 204 | own other absent | ++-   ++-   ++-   +x-   xx-   ---   x--   +--   +--   ---   ++-   xx-   +--   +x-      ---   | UPLOAD_NOT_FOUND
status file     | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   +--   +--   +--   ---   ++-   ++-   +--   ++-      ---   | UPLOAD_NOT_FOUND
GET file        | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   +--   +--   +--   ---   ++-   ++-   +--   ++-      ---   | FILE_NOT_FOUND
HEAD file       | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   +--   +--   +--   ---   ++-   ++-   +--   ++-      ---   | FILE_NOT_FOUND
range of file   | 206 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   +--   +--   +--   ---   ++-   ++-   +--   ++-      ---   | FILE_NOT_FOUND
events file     | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   ---   +--   +--   ---   ++-   ---   +--   ++-      ---   | TOPIC_NOT_FOUND
events batch    | 200 | own other absent | ++-   ++-   ++-   ++-   ++-   ---   ---   +--   +--   ---   ++-   ---   +--   ++-      ---   | TOPIC_NOT_FOUND
events project  | 200 | own next absent  | +--   +--   +--   +--   +--   ---   ---   ++-   +--   ---   +--   ---   ---   +--      ---   | TOPIC_NOT_FOUND
events route    | 200 | ours absent      | +-    +-    +-    +-    +-    --    --    +-    +-    --    +-    --    --    +-       --    | TOPIC_NOT_FOUND
events of two   | 200 | other            | +     +     +     +     +     -     -     -     -     -     +     -     -     +        -     | TOPIC_NOT_FOUND
`
