package dev.levee.dns;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Resolver;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.lookup.LookupResult;
import org.xbill.DNS.lookup.LookupSession;
import org.xbill.DNS.lookup.NoSuchDomainException;
import org.xbill.DNS.lookup.NoSuchRRSetException;

/**
 * Looks up the records of a name. dnsjava's {@link LookupSession} follows aliases and drops records that do not belong
 * to the answer; it has no cache here, since the TTLs are kept by {@link EndpointLookup}, and runs on the calling
 * thread.
 *
 * <p>The work is linear in the size of an answer. A session compares each record of a set with all others, which takes
 * seconds for an answer of 64 KB; so it is shown one record of each set, and the others are added to its result.
 */
final class RecordLookup {
    /** One for the name, and one for each of the 16 aliases that a session follows. */
    private static final int MAX_QUERIES = 17;

    /** A TTL above this is no number of seconds (RFC 2181, section 8). */
    private static final long MAX_TTL_SECONDS = Integer.MAX_VALUE;

    /**
     * What a name stands for.
     *
     * @param records those of the type that was asked for; empty if DNS says that there are none
     * @param ttlSeconds the shortest TTL of the records and the aliases on the way
     * @param additional what came with them
     */
    record RecordSet(List<Record> records, long ttlSeconds, List<Record> additional) {}

    /** What the records of one set have in common, beside the class. */
    private record OwnerAndType(Name owner, int type) {
        static OwnerAndType of(Record record) {
            return new OwnerAndType(record.getName(), record.getType());
        }
    }

    private final DnsExchange exchange;
    private final long deadlineNanos;

    RecordLookup(DnsExchange exchange, long deadlineNanos) {
        this.exchange = exchange;
        this.deadlineNanos = deadlineNanos;
    }

    RecordSet find(Name name, int type) throws IOException {
        KeptAnswers answers = new KeptAnswers();
        LookupSession session = LookupSession.builder()
                .resolver(answers)
                .executor(Runnable::run)
                .build();
        try {
            LookupResult result =
                    session.lookupAsync(name, type).toCompletableFuture().join();
            List<Record> records = answers.all(result.getRecords());
            return new RecordSet(records, answers.ttlSeconds(records, result.getAliases()), answers.additional());
        } catch (CompletionException failed) {
            return noneOrThrow(name, Objects.requireNonNullElse(failed.getCause(), failed));
        }
    }

    private static RecordSet noneOrThrow(Name name, Throwable cause) throws IOException {
        if (cause instanceof NoSuchDomainException || cause instanceof NoSuchRRSetException) {
            return new RecordSet(List.of(), MAX_TTL_SECONDS, List.of());
        }
        if (cause instanceof IOException failed) {
            throw failed;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        throw new IOException(DnsNames.text(name) + ": " + cause.getMessage(), cause);
    }

    static long ttlSeconds(Record record) {
        return record.getTTL() > MAX_TTL_SECONDS ? 0 : record.getTTL();
    }

    /**
     * The way from a session to the exchange; keeps the answers, since a result has neither the TTLs of aliases nor
     * what came along.
     */
    private final class KeptAnswers implements Resolver {
        private final List<Message> answers = new ArrayList<>();

        @Override
        public CompletionStage<Message> sendAsync(Message query, Executor executor) {
            if (answers.size() == MAX_QUERIES) {
                String name = DnsNames.text(query.getQuestion().getName());
                return CompletableFuture.failedFuture(
                        new IOException(name + " is behind more than " + MAX_QUERIES + " queries"));
            }
            try {
                Message answer = exchange.send(query, deadlineNanos);
                answers.add(answer);
                return CompletableFuture.completedFuture(oneOfEachSet(answer));
            } catch (IOException | RuntimeException failed) {
                return CompletableFuture.failedFuture(failed);
            }
        }

        /**
         * Returns the answer with one record of each set, and without what came along. Answers of another class are
         * left out: a session takes them for what was asked, and queries an alias of one for ever.
         */
        private static Message oneOfEachSet(Message answer) {
            Message shown = answer.clone();
            for (int section : new int[] {Section.ANSWER, Section.AUTHORITY, Section.ADDITIONAL}) {
                shown.removeAllRecords(section);
            }
            for (int section : new int[] {Section.ANSWER, Section.AUTHORITY}) {
                Set<OwnerAndType> sets = new HashSet<>();
                for (Record record : answer.getSection(section)) {
                    if (record.getDClass() == DClass.IN && sets.add(OwnerAndType.of(record))) {
                        shown.addRecord(record, section);
                    }
                }
            }
            return shown;
        }

        /** Returns all records of the set that a session has found one of, each once. */
        List<Record> all(List<Record> some) {
            if (some.isEmpty()) {
                return some;
            }
            OwnerAndType wanted = OwnerAndType.of(some.get(0));
            Set<Record> all = new LinkedHashSet<>();
            for (Record record : answers.get(answers.size() - 1).getSection(Section.ANSWER)) {
                if (record.getDClass() == DClass.IN && OwnerAndType.of(record).equals(wanted)) {
                    all.add(record);
                }
            }
            return List.copyOf(all);
        }

        long ttlSeconds(List<Record> records, List<Name> aliases) {
            long ttl = MAX_TTL_SECONDS;
            for (Record record : records) {
                ttl = Math.min(ttl, RecordLookup.ttlSeconds(record));
            }
            for (Message answer : answers) {
                for (Record record : answer.getSection(Section.ANSWER)) {
                    boolean isAlias = record.getType() == Type.CNAME && aliases.contains(record.getName());
                    if (record.getDClass() == DClass.IN && (isAlias || record.getType() == Type.DNAME)) {
                        ttl = Math.min(ttl, RecordLookup.ttlSeconds(record));
                    }
                }
            }
            return ttl;
        }

        List<Record> additional() {
            List<Record> additional = new ArrayList<>();
            for (Message answer : answers) {
                for (Record record : answer.getSection(Section.ADDITIONAL)) {
                    if (record.getDClass() == DClass.IN) { // and no options, whose class is a size
                        additional.add(record);
                    }
                }
            }
            return additional;
        }

        // A session sends and nothing else.

        @Override
        public void setPort(int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setTCP(boolean flag) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setIgnoreTruncation(boolean flag) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setEDNS(int version, int payloadSize, int flags, List<EDNSOption> options) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setTSIGKey(TSIG key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setTimeout(Duration timeout) {
            throw new UnsupportedOperationException();
        }
    }
}
