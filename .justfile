# Everything that must hold before a change lands.
ci:
    .ci/run

test *ARGS:
    cargo test {{ARGS}}

bench *ARGS:
    cargo bench {{ARGS}}
