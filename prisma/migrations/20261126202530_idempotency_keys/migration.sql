-- CreateTable
CREATE TABLE "carcosa"."idempotency_key" (
    "id" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "holder" TEXT,
    "held_until" TIMESTAMPTZ(3),
    "answer" BYTEA,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "idempotency_key_expires_at_idx" ON "carcosa"."idempotency_key"("expires_at");
