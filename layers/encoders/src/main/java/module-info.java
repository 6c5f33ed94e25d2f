/** Pretrained BERT encoders: tokenizer, weights from other libraries' files, and embeddings. */
module dev.switchyard.encoders {
  requires transitive dev.switchyard.layers;
  requires com.fasterxml.jackson.core;

  exports dev.switchyard.encoders;
}
