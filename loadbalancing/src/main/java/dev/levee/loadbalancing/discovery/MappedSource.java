package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/** Some of the endpoints of a source, made into others. */
final class MappedSource<A, B> implements EndpointSource<B> {
    private final EndpointSource<A> source;
    private final Function<? super Endpoint<A>, Endpoint<B>> function;
    private final Predicate<? super Endpoint<A>> predicate;

    MappedSource(
            EndpointSource<A> source,
            Function<? super Endpoint<A>, Endpoint<B>> function,
            Predicate<? super Endpoint<A>> predicate) {
        this.source = source;
        this.function = function;
        this.predicate = predicate;
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<B>>> receiver) {
        Require.nonNull("receiver", receiver);
        return source.subscribe(endpoints -> receiver.accept(mapped(endpoints)));
    }

    private List<Endpoint<B>> mapped(List<Endpoint<A>> endpoints) {
        List<Endpoint<B>> mapped = new ArrayList<>(endpoints.size());
        for (Endpoint<A> endpoint : endpoints) {
            if (predicate.test(endpoint)) {
                mapped.add(Require.nonNull("endpoint", function.apply(endpoint)));
            }
        }
        return mapped;
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
