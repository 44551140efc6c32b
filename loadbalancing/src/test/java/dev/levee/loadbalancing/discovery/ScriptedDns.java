package dev.levee.loadbalancing.discovery;

import dev.levee.loadbalancing.discovery.DnsMessage.DnsRecord;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** DNS as a test writes it. A name without records of a kind has none of it; an unknown name does not exist. */
final class ScriptedDns implements DnsExchange {
    final List<String> asked = new ArrayList<>();
    final Map<String, List<DnsRecord>> records = new HashMap<>();
    final Map<String, List<DnsRecord>> additional = new HashMap<>();
    final Map<String, IOException> failures = new HashMap<>();
    List<String> search = List.of();
    int dots = 1;

    DnsLookup.Resolver resolver() {
        return new DnsLookup.Resolver(
                new DnsSettings(List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53)), search, dots, 2),
                this);
    }

    @Override
    public DnsMessage ask(String name, int type, long deadlineNanos) throws IOException {
        asked.add(name + " " + text(type));
        IOException failure = failures.getOrDefault(name + " " + text(type), failures.get(name));
        if (failure != null) {
            throw failure;
        }
        List<DnsRecord> found = records.get(name);
        if (found == null) {
            return new DnsMessage(DnsMessage.NO_SUCH_NAME, false, true, List.of(), List.of());
        }
        List<DnsRecord> answers = found.stream()
                .filter(it -> it.type() == type
                        || it.type() == DnsMessage.CNAME
                        || !it.name().equals(name))
                .toList();
        return new DnsMessage(DnsMessage.NO_ERROR, false, true, answers, additional.getOrDefault(name, List.of()));
    }

    ScriptedDns has(String name, DnsRecord... all) {
        records.put(name, List.of(all));
        return this;
    }

    ScriptedDns gone(String name) {
        records.remove(name);
        return this;
    }

    ScriptedDns fails(String key) {
        failures.put(key, new IOException("SERVFAIL"));
        return this;
    }

    ScriptedDns works(String key) {
        failures.remove(key);
        return this;
    }

    static DnsRecord a(String name, long ttl, String address) {
        InetAddress literal = Objects.requireNonNull(HostPort.literal(address), address);
        int type = address.indexOf(':') < 0 ? DnsMessage.A : DnsMessage.AAAA;
        return new DnsRecord(name, type, ttl, literal, null, 0, 0, 0);
    }

    static DnsRecord cname(String name, long ttl, String target) {
        return new DnsRecord(name, DnsMessage.CNAME, ttl, null, target, 0, 0, 0);
    }

    static DnsRecord srv(String name, long ttl, int priority, int weight, int port, String target) {
        return new DnsRecord(name, DnsMessage.SRV, ttl, null, target, priority, weight, port);
    }

    private static String text(int type) {
        return switch (type) {
            case DnsMessage.A -> "A";
            case DnsMessage.AAAA -> "AAAA";
            case DnsMessage.SRV -> "SRV";
            default -> "type " + type;
        };
    }
}
