# fresco in a container, by the steps of docs/install.md: build the Debian package, then install it into a fresh Debian.
#   docker build -t fresco . && docker run --rm -v "$PWD:/work" fresco draw "a red circle"
FROM debian:12-slim AS build
WORKDIR /fresco
COPY scripts scripts
RUN scripts/setup_packages.sh scripts/packages.txt scripts/packages_package.txt && scripts/setup_torch.sh
COPY . .
RUN scripts/build.sh release fresco_cli && cpack --config build/release/CPackConfig.cmake -B /package

# Not the slim one: it leaves out /usr/share/doc, where the licences of what the package carries lie.
FROM debian:12
# hadolint ignore=DL3008
RUN --mount=type=bind,from=build,source=/package,target=/package \
    apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates /package/fresco_*.deb && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --uid 1000 --home-dir /work --create-home fresco
USER fresco
WORKDIR /work
ENTRYPOINT ["fresco"]
