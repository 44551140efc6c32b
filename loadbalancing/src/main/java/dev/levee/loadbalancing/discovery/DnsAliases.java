package dev.levee.loadbalancing.discovery;

import dev.levee.loadbalancing.discovery.DnsMessage.DnsRecord;
import java.io.IOException;
import java.net.ProtocolException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Follows aliases (CNAME records) to what they stand for, for a bounded number of steps. */
final class DnsAliases {
    private static final int MAX_STEPS = 16;

    /**
     * What a name stands for.
     *
     * @param records those of the kind that was asked for; empty if DNS says that there are none
     * @param ttlSeconds the shortest of all on the way
     * @param additional what came with them
     */
    record Answer(List<DnsRecord> records, long ttlSeconds, List<DnsRecord> additional) {}

    private final DnsExchange exchange;
    private final long deadlineNanos;

    DnsAliases(DnsExchange exchange, long deadlineNanos) {
        this.exchange = exchange;
        this.deadlineNanos = deadlineNanos;
    }

    Answer ask(String name, int type) throws IOException {
        Set<String> seen = new HashSet<>();
        seen.add(name);
        long ttl = Long.MAX_VALUE;
        String asked = checked(name);
        while (true) {
            DnsMessage message = exchange.ask(asked, type, deadlineNanos);
            String owner = asked;
            while (message.code() == DnsMessage.NO_ERROR) {
                List<DnsRecord> records = of(message, owner, type);
                if (!records.isEmpty()) {
                    for (DnsRecord record : records) {
                        ttl = Math.min(ttl, record.ttlSeconds());
                    }
                    return new Answer(records, ttl, message.additional());
                }
                List<DnsRecord> aliases = of(message, owner, DnsMessage.CNAME);
                if (aliases.isEmpty()) {
                    break;
                }
                DnsRecord alias = aliases.get(0);
                owner = String.valueOf(alias.target());
                if (!seen.add(owner) || seen.size() > MAX_STEPS) {
                    throw new ProtocolException(name + ": its aliases go round, or are more than " + MAX_STEPS);
                }
                ttl = Math.min(ttl, alias.ttlSeconds());
            }
            if (owner.equals(asked)) {
                return new Answer(List.of(), ttl, List.of());
            }
            asked = checked(owner); // the server has not gone all the way
        }
    }

    private static List<DnsRecord> of(DnsMessage message, String owner, int type) {
        return message.answers().stream()
                .filter(record -> record.type() == type && record.name().equals(owner))
                .toList();
    }

    private static String checked(String name) throws ProtocolException {
        try {
            return DnsMessage.name(name);
        } catch (IllegalArgumentException odd) {
            throw new ProtocolException(odd.getMessage());
        }
    }
}
