# Debian's nats-server, as an account of its own.
ARG DEBIAN=docker.io/library/debian:12-slim
FROM ${DEBIAN}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nats-server ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/portcullis-nats --shell /usr/sbin/nologin portcullis-nats \
    && install -d -o portcullis-nats -g portcullis-nats -m 0700 /var/lib/portcullis-nats
USER portcullis-nats
VOLUME /var/lib/portcullis-nats
ENTRYPOINT ["/usr/sbin/nats-server", "-c", "/etc/portcullis-nats/nats.conf"]
