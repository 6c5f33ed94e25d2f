package dev.switchyard.layers.coda;

import dev.switchyard.layers.Tensor;
import java.util.Optional;

/**
 * What a router says of a batch.
 *
 * @param selection which tokens go through the heavy branch
 * @param gates [chosen, 1], how far each of them goes; none if all go all the way
 */
public record Routing(Selection selection, Optional<Tensor> gates) {}
