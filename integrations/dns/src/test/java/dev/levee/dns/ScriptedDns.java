package dev.levee.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/** DNS as a test writes it. A name without records of a kind has none of it; an unknown name does not exist. */
final class ScriptedDns implements DnsExchange {
    final List<String> asked = new ArrayList<>();
    final Map<String, List<Record>> records = new HashMap<>();
    final Map<String, List<Record>> additional = new HashMap<>();
    final Map<String, IOException> failures = new HashMap<>();
    List<String> search = List.of();
    int dots = 1;

    NameService service() {
        return new NameService(settings(), this);
    }

    ResolverSettings settings() {
        List<InetSocketAddress> servers = List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 53));
        return new ResolverSettings(servers, search, dots, 2);
    }

    @Override
    public Message send(Message query, long deadlineNanos) throws IOException {
        String name = DnsNames.text(query.getQuestion().getName());
        int type = query.getQuestion().getType();
        String question = name + " " + Type.string(type);
        asked.add(question);
        IOException failure = failures.getOrDefault(question, failures.get(name));
        if (failure != null) {
            throw failure;
        }
        Message answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.RA);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        List<Record> found = records.get(name);
        if (found == null) {
            answer.getHeader().setRcode(Rcode.NXDOMAIN);
            return answer;
        }
        Name owner = query.getQuestion().getName();
        found.stream()
                .filter(it -> it.getType() == type
                        || it.getType() == Type.CNAME
                        || !it.getName().equals(owner))
                .forEach(it -> answer.addRecord(it, Section.ANSWER));
        additional.getOrDefault(name, List.of()).forEach(it -> answer.addRecord(it, Section.ADDITIONAL));
        return answer;
    }

    ScriptedDns has(String name, Record... all) {
        records.put(name, List.of(all));
        return this;
    }

    ScriptedDns gone(String name) {
        records.remove(name);
        return this;
    }

    /** No server answers this. */
    ScriptedDns fails(String key) {
        failures.put(key, new IOException("silence"));
        return this;
    }

    /** A server answers that it cannot answer this. */
    ScriptedDns servfails(String key) {
        failures.put(key, new ServerFailureException("answered SERVFAIL"));
        return this;
    }

    ScriptedDns works(String key) {
        failures.remove(key);
        return this;
    }

    static Record a(String name, long ttl, String address) {
        InetAddress literal = Objects.requireNonNull(DnsNames.literal(address), address);
        return address.indexOf(':') < 0
                ? new ARecord(name(name), DClass.IN, ttl, literal)
                : new AAAARecord(name(name), DClass.IN, ttl, literal);
    }

    static Record cname(String name, long ttl, String target) {
        return new CNAMERecord(name(name), DClass.IN, ttl, name(target));
    }

    static Record srv(String name, long ttl, int priority, int weight, int port, String target) {
        return new SRVRecord(name(name), DClass.IN, ttl, priority, weight, port, name(target));
    }

    /** Any name, also one that is none for a host. */
    private static Name name(String text) {
        try {
            return text.isEmpty() ? Name.root : Name.fromString(text, Name.root);
        } catch (TextParseException wrong) {
            throw new IllegalArgumentException(wrong);
        }
    }
}
