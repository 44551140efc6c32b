package dev.levee.spring.cloud;

import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.ServiceInstance;

/** A service instance that says what another one says. */
abstract class InstanceView implements ServiceInstance {
    final ServiceInstance instance;

    InstanceView(ServiceInstance instance) {
        this.instance = instance;
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
}
