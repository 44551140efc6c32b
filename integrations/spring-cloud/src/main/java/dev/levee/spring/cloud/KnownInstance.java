package dev.levee.spring.cloud;

import java.net.URI;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;

/** A service instance as an address: equal to another one if requests go to the same place. */
record KnownInstance(ServiceInstance instance) implements ServiceInstance {
    /** Where requests go, which is what an endpoint is known by. */
    String id() {
        String host = getHost();
        return (isSecure() ? "https://" : "http://") + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":"
                + getPort();
    }

    @Override
    public @Nullable String getInstanceId() {
        return instance.getInstanceId();
    }

    @Override
    public String getServiceId() {
        return instance.getServiceId();
    }

    @Override
    public String getHost() {
        return instance.getHost();
    }

    @Override
    public int getPort() {
        return instance.getPort();
    }

    @Override
    public boolean isSecure() {
        return instance.isSecure();
    }

    @Override
    public URI getUri() {
        return instance.getUri();
    }

    @Override
    public @Nullable Map<String, String> getMetadata() {
        return instance.getMetadata();
    }

    @Override
    public @Nullable String getScheme() {
        return instance.getScheme();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KnownInstance known
                && getPort() == known.getPort()
                && isSecure() == known.isSecure()
                && Objects.equals(getHost(), known.getHost());
    }

    @Override
    public int hashCode() {
        return Objects.hash(getHost(), getPort(), isSecure());
    }

    @Override
    public String toString() {
        return id();
    }
}
