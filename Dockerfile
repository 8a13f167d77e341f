# The command jepa. docker build -t jepa . ; docker run --rm -v ~/photos:/photos -v ~/runs:/runs jepa pretrain --data /photos --out /runs/photos
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish -c Release -r linux-x64 --no-self-contained -o /jepa src/JepaSharp.Cli

FROM mcr.microsoft.com/dotnet/runtime:10.0
COPY --from=build /jepa /jepa
# Nobody needs to be root to train; runs and caches go where the user may write.
RUN useradd --create-home jepa
USER jepa
WORKDIR /home/jepa
ENTRYPOINT ["/jepa/jepa"]
CMD []
