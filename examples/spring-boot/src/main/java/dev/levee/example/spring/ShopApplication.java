package dev.levee.example.spring;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the shop on the loopback interface. */
@SpringBootApplication
public class ShopApplication {
    /** Made by Spring. */
    public ShopApplication() {}

    /**
     * Starts the shop.
     *
     * @param arguments properties of Spring, such as {@code --server.port=8081}
     */
    public static void main(String[] arguments) {
        SpringApplication.run(ShopApplication.class, arguments);
    }
}
