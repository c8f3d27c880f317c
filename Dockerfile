# resnet-bench in a container; docs/install.md tells how to run it.
#
#   docker build -t resnet-bench .                               # torch as pip finds it: on x86-64 with CUDA
#   docker build -t resnet-bench --build-arg TORCH_INDEX=URL .   # that of another index, such as CPU alone
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

ARG TORCH_INDEX
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY bench bench
COPY resnet_models resnet_models
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} .

# Whatever user it runs as can write there; results go to the folder that is mounted.
ENV RESNET_BENCH_DATA=/data MPLCONFIGDIR=/tmp/matplotlib
RUN mkdir -m 777 /data
VOLUME /data
WORKDIR /results
ENTRYPOINT ["resnet-bench"]
CMD ["run", "--yes"]
