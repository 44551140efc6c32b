package dev.levee.jdbc.limits;

import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The row of one limiter and key, and what requests make of it: the rules of
 * {@link dev.levee.ratelimit.shared.QuotaStore}. While it is in memory the row is locked in the database. What is
 * decided by one statement there ({@link PostgresTake}) must be the same.
 */
final class QuotaRow {
    /** For how long a node that has asked counts as one that shares the limit. */
    static final long SHARER_NANOS = 3_000_000_000L;

    QuotaTerms terms;
    QuotaLevel level;

    /** The clock of the server when it last looked. */
    long server;

    final Map<String, QuotaAnswer> answers;

    QuotaRow(QuotaTerms terms, QuotaLevel level, long server, Map<String, QuotaAnswer> answers) {
        this.terms = terms;
        this.level = level;
        this.server = server;
        this.answers = answers;
    }

    /** Returns the answer to a request; the row is as it must be written then, unless it is the answer of before. */
    QuotaGrant decide(String node, long sequence, QuotaRequest request, long clock, long keepNanos) {
        QuotaAnswer last = answers.get(node);
        if (last != null && sequence <= last.sequence()) {
            return sequence == last.sequence() ? last.grant() : answer(0, 1, null, false, 1);
        }
        long passed = Math.max(0, clock - server);
        long now = Math.max(level.now, Math.min(level.now + passed, request.latestNanos()));
        server = clock;
        level.pass(now);
        QuotaGrant grant = decide(request, sharers(node, now));
        answers.values().removeIf(answer -> answer.seen() < now - keepNanos);
        answers.put(node, new QuotaAnswer(sequence, now, grant));
        return grant;
    }

    private int sharers(String node, long now) {
        return 1
                + (int) answers.entrySet().stream()
                        .filter(other -> !other.getKey().equals(node))
                        .filter(other -> other.getValue().seen() >= now - SHARER_NANOS)
                        .count();
    }

    private QuotaGrant decide(QuotaRequest request, int sharers) {
        QuotaTerms other = null;
        if (!request.terms().equals(terms)) {
            if (request.terms().revision() > terms.revision()) {
                long used = level.used();
                terms = request.terms();
                level = QuotaLevel.full(terms.limit(), level.now);
                level.use(used);
            } else if (request.terms().revision() == terms.revision()) {
                return answer(0, 1, terms, true, sharers);
            } else {
                other = terms;
            }
        }
        if (request.used() >= 0) {
            level.use(request.used());
        } else {
            level.comesBack(-request.used(), request.takenNanos());
        }
        long there = Math.max(0, level.available());
        if (request.needed() > there) {
            return answer(0, level.waitNanos(request.needed()), other, false, sharers);
        }
        long demanded = Math.min(there, request.demanded());
        long ahead = Math.min(request.wanted() - request.demanded(), (there - demanded) / sharers);
        level.use(demanded + ahead);
        return answer(demanded + ahead, 0, other, false, sharers);
    }

    private QuotaGrant answer(long permits, long waitNanos, @Nullable QuotaTerms other, boolean conflict, int sharers) {
        return new QuotaGrant(
                permits, waitNanos, level.available(), level.resetNanos(), sharers, level.now, other, conflict);
    }
}
