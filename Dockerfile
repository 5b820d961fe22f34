# Every step is a command that can be typed by hand in a checkout; see docs/building.md.
# It listens on every address, so it starts only when it is told what people type to reach it:
#   docker run -p 3000:3000 -v holdpoint:/var/lib/holdpoint -e HOLDPOINT_BASE_URL=https://prr.example.org holdpoint

FROM docker.io/library/rust:1.95-slim-bookworm AS build
# Node.js is only for wasm-opt, which makes what browsers download a third smaller.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev nodejs npm \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add wasm32-unknown-unknown
WORKDIR /source
COPY . .
RUN cargo build --locked --release --package holdpoint --package xtask
RUN target/release/xtask wasm --release --site target/site
RUN install -D --mode=0755 --target-directory=/image/usr/bin target/release/holdpoint \
 && mkdir -p /image/usr/share/holdpoint /image/usr/share/doc/holdpoint \
 && cp -R target/site /image/usr/share/holdpoint/site \
 && cp LICENSE /image/usr/share/doc/holdpoint/

FROM docker.io/library/debian:bookworm-slim
# Certificates for sign-in with an identity provider, mail and webhooks.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/holdpoint --create-home holdpoint \
 && chmod 0700 /var/lib/holdpoint
COPY --from=build /image /
USER 10001:10001
ENV HOLDPOINT_DATA=/var/lib/holdpoint \
    HOLDPOINT_LISTEN=0.0.0.0:3000 \
    HOLDPOINT_SITE=/usr/share/holdpoint/site
VOLUME /var/lib/holdpoint
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["holdpoint", "healthcheck"]
ENTRYPOINT ["holdpoint"]
CMD ["serve"]
