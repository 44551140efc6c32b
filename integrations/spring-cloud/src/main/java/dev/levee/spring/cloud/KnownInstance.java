package dev.levee.spring.cloud;

import java.util.Objects;
import org.springframework.cloud.client.ServiceInstance;

/** A service instance as an address: equal to another one if requests go to the same place. */
final class KnownInstance extends InstanceView {
    KnownInstance(ServiceInstance instance) {
        super(instance);
    }

    /** Where requests go, which is what an endpoint is known by. */
    String id() {
        String host = getHost();
        return (isSecure() ? "https://" : "http://") + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":"
                + getPort();
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
