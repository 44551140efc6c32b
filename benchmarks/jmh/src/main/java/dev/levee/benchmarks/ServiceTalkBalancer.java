package dev.levee.benchmarks;

import io.servicetalk.client.api.ConnectionFactory;
import io.servicetalk.client.api.DefaultServiceDiscovererEvent;
import io.servicetalk.client.api.LoadBalancedConnection;
import io.servicetalk.client.api.LoadBalancer;
import io.servicetalk.client.api.RequestTracker;
import io.servicetalk.client.api.ServiceDiscovererEvent;
import io.servicetalk.concurrent.Cancellable;
import io.servicetalk.concurrent.SingleSource;
import io.servicetalk.concurrent.api.AsyncCloseables;
import io.servicetalk.concurrent.api.Completable;
import io.servicetalk.concurrent.api.ListenableAsyncCloseable;
import io.servicetalk.concurrent.api.Publisher;
import io.servicetalk.concurrent.api.Single;
import io.servicetalk.concurrent.api.SourceAdapters;
import io.servicetalk.context.api.ContextMap;
import io.servicetalk.loadbalancer.LoadBalancers;
import io.servicetalk.loadbalancer.LoadBalancingPolicies;
import io.servicetalk.loadbalancer.LoadBalancingPolicy;
import io.servicetalk.transport.api.TransportObserver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One of ServiceTalk's own balancers, as its public builder makes it, over connections that are always open. */
final class ServiceTalkBalancer {
    private final LoadBalancer<Connection> balancer;

    private ServiceTalkBalancer(LoadBalancingPolicy<String, Connection> policy, int endpoints) {
        List<ServiceDiscovererEvent<String>> events = new ArrayList<>();
        for (int i = 0; i < endpoints; i++) {
            events.add(new DefaultServiceDiscovererEvent<>("10.0.0." + i, ServiceDiscovererEvent.Status.AVAILABLE));
        }
        Publisher<Collection<ServiceDiscovererEvent<String>>> discovered =
                Publisher.<Collection<ServiceDiscovererEvent<String>>>from(events)
                        .concat(Publisher.never());
        balancer = LoadBalancers.<String, Connection>builder("b")
                .loadBalancingPolicy(policy)
                .build()
                .newLoadBalancer(discovered, new Connections(), "t");
        for (int i = 0; i < 20 * endpoints; i++) { // each host gets its connection
            select();
        }
    }

    static ServiceTalkBalancer roundRobin(int endpoints) {
        return new ServiceTalkBalancer(LoadBalancingPolicies.roundRobin().build(), endpoints);
    }

    /** Two choices by peak EWMA. */
    static ServiceTalkBalancer p2c(int endpoints) {
        return new ServiceTalkBalancer(LoadBalancingPolicies.p2c().build(), endpoints);
    }

    Connection select() {
        Taker taker = new Taker();
        SourceAdapters.toSource(balancer.selectConnection(connection -> true, null))
                .subscribe(taker);
        Connection taken = taker.taken;
        if (taken == null) {
            throw new IllegalStateException("ServiceTalk's balancer is not ready");
        }
        return taken;
    }

    /** A call: select, and what its HTTP client reports to the host's tracker at the start and at the end. */
    Connection call() {
        Connection connection = select();
        RequestTracker tracker = connection.tracker;
        tracker.onRequestSuccess(tracker.beforeRequestStart());
        return connection;
    }

    private static final class Taker implements SingleSource.Subscriber<Connection> {
        @Nullable Connection taken;

        @Override
        public void onSubscribe(Cancellable cancellable) {}

        @Override
        public void onSuccess(@Nullable Connection result) {
            taken = result;
        }

        @Override
        public void onError(Throwable failure) {
            throw new IllegalStateException(failure);
        }
    }

    private static final class Connections implements ConnectionFactory<String, Connection> {
        private final ListenableAsyncCloseable open = AsyncCloseables.emptyAsyncCloseable();

        @Override
        public Single<Connection> newConnection(
                String address, @Nullable ContextMap context, @Nullable TransportObserver observer) {
            RequestTracker tracker = context == null ? null : context.get(RequestTracker.REQUEST_TRACKER_KEY);
            if (tracker == null) {
                throw new IllegalStateException("ServiceTalk gives no tracker");
            }
            return Single.succeeded(new Connection(tracker));
        }

        @Override
        public Completable onClose() {
            return open.onClose();
        }

        @Override
        public Completable closeAsync() {
            return open.closeAsync();
        }
    }

    static final class Connection implements LoadBalancedConnection {
        final RequestTracker tracker;
        private final ListenableAsyncCloseable open = AsyncCloseables.emptyAsyncCloseable();

        Connection(RequestTracker tracker) {
            this.tracker = tracker;
        }

        @Override
        public int score() {
            return 1;
        }

        @Override
        public Result tryRequest() {
            return Result.Accepted;
        }

        @Override
        public void requestFinished() {}

        @Override
        public boolean tryReserve() {
            return true;
        }

        @Override
        public Completable releaseAsync() {
            return Completable.completed();
        }

        @Override
        public Completable onClose() {
            return open.onClose();
        }

        @Override
        public Completable closeAsync() {
            return open.closeAsync();
        }
    }
}
