package dev.levee.dns;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Text;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/**
 * Queries name servers, one after the other, until one has an answer. Thread-safe.
 *
 * <p>A server that does not answer is queried last for a while. One that cannot answer ({@code SERVFAIL},
 * {@code REFUSED} and others) leads on to the next one. Queries have EDNS (RFC 6891), for answers of more than 512
 * bytes by UDP; a server that refuses such a query is queried again without, and so is each server in the second
 * attempt, since some middle boxes drop what they do not understand.
 *
 * <p>The case of letters stays as it is: random case ("0x20") as a guard against forged answers is refused or folded by
 * some servers.
 */
final class NameServers implements DnsExchange {
    /** The largest answer by UDP that is not fragmented on common paths (DNS flag day 2020). */
    private static final int EDNS_PAYLOAD_BYTES = 1232;

    /** The second one is without EDNS. */
    private static final int MIN_ATTEMPTS = 2;

    private final ResolverSettings settings;
    private final long timeoutNanos;
    private final ServerHistory history;
    private final DnsTransport transport;
    private final NanoClock clock;

    /**
     * Creates an exchange.
     *
     * @param timeoutNanos how long to wait for one answer
     */
    NameServers(
            ResolverSettings settings,
            long timeoutNanos,
            ServerHistory history,
            DnsTransport transport,
            NanoClock clock) {
        this.settings = settings;
        this.timeoutNanos = timeoutNanos;
        this.history = history;
        this.transport = transport;
        this.clock = clock;
    }

    @Override
    public Message send(Message query, long deadlineNanos) throws IOException {
        Record question = query.getQuestion();
        IOException silence = new SocketTimeoutException("no time is left");
        ServerFailureException refusal = null;
        for (int attempt = 0; attempt < Math.max(MIN_ATTEMPTS, settings.attempts()); attempt++) {
            for (InetSocketAddress server : history.inOrder(settings.servers())) {
                if (deadlineNanos - clock.nanoTime() <= 0) {
                    throw refusal != null ? refusal : silence;
                }
                String text = DnsNames.text(question.getName()) + ": name server "
                        + server.getAddress().getHostAddress();
                try {
                    return send(server, question, attempt == 0, deadlineNanos);
                } catch (ServerFailureException failed) {
                    history.answered(server);
                    refusal = new ServerFailureException(
                            text + " " + Text.escaped(String.valueOf(failed.getMessage())), failed);
                } catch (IOException failed) {
                    history.wasSilent(server);
                    silence = new IOException(
                            text + " failed: " + Text.escaped(String.valueOf(failed.getMessage())), failed);
                }
            }
        }
        throw refusal != null ? refusal : silence;
    }

    private Message send(InetSocketAddress server, Record question, boolean first, long deadlineNanos)
            throws IOException {
        boolean edns = history.understandsEdns(server);
        boolean extended = first && edns;
        Message answer = transport.send(server, query(question, extended), end(deadlineNanos));
        if (extended && refusesEdns(answer.getRcode())) {
            extended = false;
            answer = transport.send(server, query(question, false), end(deadlineNanos));
        }
        check(answer);
        history.answered(server);
        if (edns && !extended) {
            history.answeredOnlyPlain(server);
        }
        return answer;
    }

    private long end(long deadlineNanos) {
        long now = clock.nanoTime();
        return now + Math.min(timeoutNanos, deadlineNanos - now);
    }

    /**
     * Returns a message with an id of its own, so that the answer to an earlier attempt is not taken for the one to
     * this.
     */
    private static Message query(Record question, boolean extended) {
        Message query = Message.newQuery(question);
        if (extended) {
            query.addRecord(new OPTRecord(EDNS_PAYLOAD_BYTES, 0, 0), Section.ADDITIONAL);
        }
        return query;
    }

    private static boolean refusesEdns(int code) {
        return code == Rcode.FORMERR || code == Rcode.NOTIMP || code == Rcode.BADVERS;
    }

    private static void check(Message answer) throws ServerFailureException {
        int code = answer.getRcode();
        if (code != Rcode.NOERROR && code != Rcode.NXDOMAIN) {
            throw new ServerFailureException("answered " + Rcode.string(code));
        }
        if (code == Rcode.NOERROR
                && answer.getSection(Section.ANSWER).isEmpty()
                && !answer.getHeader().getFlag(Flags.AA)
                && !answer.getHeader().getFlag(Flags.RA)) {
            throw new ServerFailureException("answered with a referral to another server");
        }
    }
}
