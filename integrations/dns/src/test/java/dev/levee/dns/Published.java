package dev.levee.dns;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A receiver that keeps what is published: for each set the ids, with a weight other than 1 behind a star. */
final class Published<A> implements Consumer<List<Endpoint<A>>> {
    final List<List<Endpoint<A>>> sets = new CopyOnWriteArrayList<>();

    @Override
    public void accept(List<Endpoint<A>> endpoints) {
        sets.add(endpoints);
    }

    List<String> lines() {
        return sets.stream().map(Published::line).toList();
    }

    List<Endpoint<A>> last() {
        return sets.get(sets.size() - 1);
    }

    static <A> String line(List<Endpoint<A>> endpoints) {
        return String.join(" ", endpoints.stream().map(Published::text).toList());
    }

    private static String text(Endpoint<?> endpoint) {
        return endpoint.id()
                + (endpoint.weight() == 1.0 ? "" : "*" + endpoint.weight())
                + (endpoint.priority() == 0 ? "" : "/" + endpoint.priority())
                + (endpoint.labels().isEmpty() ? "" : endpoint.labels());
    }
}
