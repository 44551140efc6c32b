package dev.levee.jdbc.limits;

import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A batch of requests as one statement of PostgreSQL, that commits by itself: it locks the rows in their order, so that
 * two batches do not wait for each other, reads the clock after that, decides as {@link QuotaRow} does, writes, and
 * answers. It leaves out what is rare: rows that are not there or have other terms, and sequences that are not new.
 *
 * <p>What other transactions have committed while it waited for a lock is seen, because all that is decided by is in
 * the locked rows themselves: PostgreSQL reads a row again after it has waited for it, and nothing else.
 */
final class PostgresTake {
    private final String sql;

    PostgresTake(QuotaTable table) {
        sql = """
            WITH asked AS (
              SELECT * FROM unnest(?::int[], ?::text[], ?::text[], ?::text[], ?::numeric[], ?::numeric[], ?::numeric[],
                ?::numeric[], ?::numeric[], ?::numeric[], ?::numeric[], ?::numeric[], ?::bigint[])
                AS r(i, limiter, id, terms, permits, per, capacity, used, taken, needed, demanded, wanted, latest)
            ), me AS (
              SELECT ?::text AS node, ?::bigint AS sequence, ?::bigint AS keep, ?::bigint AS sharing
            ), locked AS MATERIALIZED (
              SELECT r.*, q.time_nanos, q.server_nanos, q.debt, q.start_nanos,
                q.previous_count, q.current_count, q.nodes
              FROM asked r JOIN %1$s q ON q.limiter = r.limiter AND q.id = r.id AND q.terms = r.terms
              ORDER BY q.limiter, q.id
              FOR UPDATE OF q
            ), timed AS MATERIALIZED (
              SELECT l.*, me.*, %2$s AS clock FROM locked l, me
            ), moved AS MATERIALIZED (
              SELECT t.*, greatest(time_nanos, least(time_nanos + greatest(0, clock - server_nanos), latest)) AS now
              FROM timed t
              WHERE sequence > coalesce(split_part(nodes ->> node, ',', 1)::bigint, -9223372036854775808)
            ), passed AS MATERIALIZED (
              SELECT m.*,
                greatest(0, debt - permits * (now - time_nanos)) AS debt0,
                CASE WHEN terms LIKE 'w%%' THEN div(now - start_nanos, per) ELSE 0 END AS windows,
                (SELECT 1 + count(*) FROM jsonb_each_text(nodes) n
                  WHERE n.key <> node AND split_part(n.value, ',', 2)::bigint >= now - sharing) AS sharers
              FROM moved m
            ), turned AS MATERIALIZED (
              SELECT p.*, start_nanos + windows * per AS start0,
                CASE WHEN windows = 0 THEN previous_count WHEN windows = 1 THEN current_count ELSE 0 END AS previous0,
                CASE WHEN windows = 0 THEN current_count ELSE 0 END AS current0
              FROM passed p
            ), settled AS MATERIALIZED (
              SELECT t.*,
                CASE WHEN used >= 0 THEN least(debt0 + used * per, 64 * capacity * per)
                  ELSE greatest(0, debt0 - greatest(0, -used * per - permits * (now - least(taken, now)))) END AS debt1,
                CASE WHEN used >= 0 THEN least(current0 + used, 64 * capacity)
                  WHEN taken >= start0 THEN greatest(0, current0 + used) ELSE current0 END AS current1,
                per - (now - start0) AS rest
              FROM turned t
            ), weighed AS MATERIALIZED (
              SELECT s.*, capacity - CASE WHEN terms LIKE 'b%%' THEN div(debt1 + per - 1, per)
                ELSE div(previous0 * rest + per - 1, per) + current1 END AS available
              FROM settled s
            ), granted AS MATERIALIZED (
              SELECT w.*, CASE WHEN needed > greatest(0, available) THEN 0
                ELSE least(greatest(0, available), demanded) + least(wanted - demanded,
                  div(greatest(0, available) - least(greatest(0, available), demanded), sharers)) END AS grants
              FROM weighed w
            ), decided AS MATERIALIZED (
              SELECT g.*,
                CASE WHEN terms LIKE 'b%%' THEN debt1 + grants * per ELSE 0 END AS debt2,
                CASE WHEN terms LIKE 'b%%' THEN 0 ELSE current1 + grants END AS current2,
                least(%3$s, CASE WHEN needed <= greatest(0, available) THEN 0
                  WHEN needed > capacity THEN %3$s
                  WHEN terms LIKE 'b%%' THEN greatest(1, div(debt1 + (needed - capacity) * per + permits - 1, permits))
                  WHEN current1 <= capacity - needed THEN greatest(1,
                    rest - least(per, div((capacity - needed - current1) * per, greatest(1, previous0))))
                  ELSE greatest(1, rest + per - least(per, div((capacity - needed) * per, greatest(1, current1))))
                  END) AS wait
              FROM granted g
            ), answered AS MATERIALIZED (
              SELECT d.*, available - grants AS remaining,
                least(%3$s, CASE WHEN terms LIKE 'b%%' THEN div(debt2 + permits - 1, permits)
                  WHEN current2 > 0 THEN rest + per WHEN previous0 > 0 THEN rest ELSE 0 END) AS reset
              FROM decided d
            ), written AS (
              UPDATE %1$s q SET time_nanos = a.now, server_nanos = a.clock, debt = a.debt2,
                start_nanos = CASE WHEN a.terms LIKE 'b%%' THEN 0 ELSE a.start0 END,
                previous_count = CASE WHEN a.terms LIKE 'b%%' THEN 0 ELSE a.previous0 END,
                current_count = a.current2,
                expires_nanos = least(9223372036854775807, a.clock::numeric + a.reset + a.keep)::bigint,
                nodes = coalesce((SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each_text(a.nodes) n
                    WHERE split_part(n.value, ',', 2)::bigint >= a.now - a.keep), '{}'::jsonb)
                  || jsonb_build_object(a.node, a.sequence || ',' || a.now || ',' || a.grants || ',' || a.wait || ','
                    || a.remaining || ',' || a.reset || ',' || a.sharers || ',' || a.now || ',0,')
              FROM answered a WHERE q.limiter = a.limiter AND q.id = a.id
              RETURNING a.i, a.grants, a.wait, a.remaining, a.reset, a.sharers, a.now
            )
            SELECT * FROM written
            """.formatted(table.name, table.clock, QuotaGrant.NEVER);
    }

    /** Returns the answers in the order of the requests; null for those that it has left out. */
    @Nullable QuotaGrant[] take(Connection connection, QuotaBatch batch, long keepNanos) throws SQLException {
        List<QuotaRequest> requests = batch.requests();
        @Nullable QuotaGrant[] grants = new @Nullable QuotaGrant[requests.size()];
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            Integer[] numbers = new Integer[requests.size()];
            Arrays.setAll(numbers, index -> index);
            statement.setArray(1, connection.createArrayOf("int4", numbers));
            text(statement, 2, requests, request -> QuotaTable.stored(request.limiter()));
            text(statement, 3, requests, request -> QuotaTable.stored(request.key()));
            text(statement, 4, requests, request -> TermsText.of(request.terms()));
            number(statement, 5, requests, request -> request.terms().limit().permits());
            number(
                    statement,
                    6,
                    requests,
                    request -> request.terms().limit().per().toNanos());
            number(statement, 7, requests, request -> request.terms().limit().capacity());
            number(statement, 8, requests, QuotaRequest::used);
            number(statement, 9, requests, QuotaRequest::takenNanos);
            number(statement, 10, requests, QuotaRequest::needed);
            number(statement, 11, requests, QuotaRequest::demanded);
            number(statement, 12, requests, QuotaRequest::wanted);
            Long[] latest = requests.stream().map(QuotaRequest::latestNanos).toArray(Long[]::new);
            statement.setArray(13, connection.createArrayOf("int8", latest));
            statement.setString(14, batch.node());
            statement.setLong(15, batch.sequence());
            statement.setLong(16, keepNanos);
            statement.setLong(17, QuotaRow.SHARER_NANOS);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    grants[rows.getInt(1)] = new QuotaGrant(
                            rows.getLong(2),
                            rows.getLong(3),
                            rows.getLong(4),
                            rows.getLong(5),
                            rows.getInt(6),
                            rows.getLong(7),
                            null,
                            false);
                }
            }
        }
        return grants;
    }

    private static void text(
            PreparedStatement statement, int index, List<QuotaRequest> requests, Function<QuotaRequest, String> part)
            throws SQLException {
        Object[] parts = requests.stream().map(part).toArray();
        statement.setArray(index, statement.getConnection().createArrayOf("text", parts));
    }

    private static void number(
            PreparedStatement statement, int index, List<QuotaRequest> requests, Function<QuotaRequest, Long> part)
            throws SQLException {
        Object[] parts = requests.stream().map(part).map(BigDecimal::valueOf).toArray();
        statement.setArray(index, statement.getConnection().createArrayOf("numeric", parts));
    }
}
