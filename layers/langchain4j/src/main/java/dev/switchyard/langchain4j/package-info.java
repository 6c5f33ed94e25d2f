/** Encoders of Switchyard where langchain4j expects an embedding model. */
package dev.switchyard.langchain4j;
