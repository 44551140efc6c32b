package dev.levee.spring.cloud;

import dev.levee.loadbalancing.Ticket;
import java.util.AbstractMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;

/** The metadata of an instance that was picked, with the ticket: what wraps an instance hands its metadata on. */
final class TicketMetadata extends AbstractMap<String, String> {
    private final Map<String, String> metadata;

    final Ticket<ServiceInstance> ticket;

    TicketMetadata(Map<String, String> metadata, Ticket<ServiceInstance> ticket) {
        this.metadata = metadata;
        this.ticket = ticket;
    }

    @Override
    public Set<Entry<String, String>> entrySet() {
        return metadata.entrySet();
    }

    @Override
    public @Nullable String get(@Nullable Object key) {
        return metadata.get(key);
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return metadata.containsKey(key);
    }

    @Override
    public @Nullable String put(String key, String value) {
        return metadata.put(key, value);
    }
}
