package dev.levee.dns;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
            return new RecordSet(result.getRecords(), answers.ttlSeconds(result), answers.additional());
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
                Message answer = ofInternet(exchange.send(query, deadlineNanos));
                answers.add(answer);
                return CompletableFuture.completedFuture(answer);
            } catch (IOException | RuntimeException failed) {
                return CompletableFuture.failedFuture(failed);
            }
        }

        /**
         * Drops answers of another class: a session takes them for what was asked, and queries an alias of one for
         * ever.
         */
        private static Message ofInternet(Message answer) {
            for (Record record : List.copyOf(answer.getSection(Section.ANSWER))) {
                if (record.getDClass() != DClass.IN) {
                    answer.removeRecord(record, Section.ANSWER);
                }
            }
            return answer;
        }

        long ttlSeconds(LookupResult result) {
            long ttl = MAX_TTL_SECONDS;
            for (Record record : result.getRecords()) {
                ttl = Math.min(ttl, RecordLookup.ttlSeconds(record));
            }
            for (Message answer : answers) {
                for (Record record : answer.getSection(Section.ANSWER)) {
                    boolean isAlias = record.getType() == Type.CNAME
                            && result.getAliases().contains(record.getName());
                    if (isAlias || record.getType() == Type.DNAME) {
                        ttl = Math.min(ttl, RecordLookup.ttlSeconds(record));
                    }
                }
            }
            return ttl;
        }

        List<Record> additional() {
            List<Record> additional = new ArrayList<>();
            answers.forEach(answer -> additional.addAll(answer.getSection(Section.ADDITIONAL)));
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
