using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Cli;

/// <summary>MAE from the command line: trained, looked at, embedded, evaluated, exported and begun with.</summary>
public sealed class AutoencoderVerbsTests : IDisposable
{
    private const string Small = "--set optimization.epochs=2 --set optimization.warmup=1 --set data.scene_count=24 --set data.batch_size=8 "
        + "--set data.crop_size=32 --set meta.embed_dim=32 --set meta.num_heads=2 --set meta.depth=2 --set mae.decoder_width=16 "
        + "--set mae.decoder_depth=1 --set mae.decoder_heads=2 --set logging.monitor_every=2";

    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_FromTrainingToExport_KnowsItsClassTokenAndItsDecoder()
    {
        Done($"pretrain --objective mae --out {{dir}}/run {Small}");
        Assert.Contains("encoder and decoder", Printed(), StringComparison.Ordinal);
        Assert.Contains("asked: from 4 of 16 patches, the normalised pixels of the 12 others", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("What it guesses", File.ReadAllText(_folder["run/report.html"]), StringComparison.Ordinal);
        Assert.Contains("objective: mae", File.ReadAllText(_folder["run/config.yaml"]), StringComparison.Ordinal);

        Done("inspect {dir}/run");
        var said = Printed();
        Assert.Contains("MLP 128, class token", said, StringComparison.Ordinal);
        Assert.Contains("16 wide, 1 blocks, 2 heads, guesses pixels normalised in each patch", said, StringComparison.Ordinal);
        Assert.DoesNotContain("context encoder", said, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", said, StringComparison.Ordinal);

        foreach (var (pool, shape) in ((string, string)[])[("auto", "[6, 32]"), ("class", "[6, 32]"), ("mean", "[6, 32]"), ("none", "[6, 16, 32]")])
        {
            Done($"embed --weights {{dir}}/run --data scenes:6 --out {{dir}}/{pool}.npy --pool {pool} --size 32");
            Assert.Contains(shape, Printed(), StringComparison.Ordinal);
        }

        Assert.Equal(File.ReadAllBytes(_folder["auto.npy"]), File.ReadAllBytes(_folder["class.npy"]));
        Assert.NotEqual(File.ReadAllBytes(_folder["auto.npy"]), File.ReadAllBytes(_folder["mean.npy"]));

        Done("masks {dir}/run/config.yaml --out {dir}/masks.png --count 3");
        Assert.Contains("1 context of 4 patches, 1 target of 12", Printed(), StringComparison.Ordinal);

        Done("export --weights {dir}/run --to huggingface --out {dir}/hf");
        Assert.Contains("encoder, decoder", Printed(), StringComparison.Ordinal);
        Done("pretrain --init {dir}/hf --out {dir}/on --set data.scene_count=24 --set data.batch_size=8 --max-steps 1");
        Assert.Contains("decoder: found", _error.ToString(), StringComparison.Ordinal);
        using var begun = PretrainedWeights.Open(_folder["on"]);
        Assert.Equal(("mae", 16), (begun.Objective, begun.DecoderArchitecture!.Width));

        Done("export --weights {dir}/run --to safetensors --encoder mae --out {dir}/alone.safetensors");
        _error.GetStringBuilder().Clear();
        Done($"pretrain --objective mae --init {{dir}}/alone.safetensors --out {{dir}}/fresh {Small} --set mask.patch_size=8 --max-steps 1");
        Assert.Contains("decoder: not found, starts from random weights", _error.ToString(), StringComparison.Ordinal);
        Refused($"pretrain --objective ijepa --init {{dir}}/alone.safetensors --out {{dir}}/no --set data.scene_count=24 --set data.batch_size=8",
            "a class token, the run has none (meta.objective)");
    }

    [Fact]
    public void Evaluation_OfAClassToken_SaysSoInTheTable()
    {
        Done($"pretrain --objective mae --out {{dir}}/run {Small} --max-steps 1");
        const string data = "--weights {dir}/run --data scenes:60 --size 32 --no-cache --features last --baselines off";
        Done($"evaluate count {data} --epochs 1 --out {{dir}}/a.json");
        Assert.Contains("mae encoder, last layer, class token", Printed(), StringComparison.Ordinal);
        Assert.Contains("\"pooling\": \"class token\"", File.ReadAllText(_folder["a.json"]), StringComparison.Ordinal);
        Done($"evaluate count {data} --epochs 1 --pool mean");
        Assert.Contains("mae encoder, last layer, patches averaged", Printed(), StringComparison.Ordinal);
    }

    [Fact]
    public void ClassToken_OfAnEncoderWithoutOne_IsRefused() => Refused(
        $"embed --weights {Fixtures.PathOf("nano/hf")} --data scenes:2 --out {{dir}}/a.npy --pool class", "has no class token");

    private void Done(string command) => Assert.True(Run(command) == ExitCode.Done, _error.ToString());

    private void Refused(string command, string words)
    {
        Assert.Equal(ExitCode.WrongUsage, Run(command));
        Assert.Contains(words, _error.ToString(), StringComparison.Ordinal);
    }

    /// <summary>What was printed since the last look.</summary>
    private string Printed()
    {
        var text = _out.ToString();
        _out.GetStringBuilder().Clear();
        return text;
    }

    private int Run(string line) => CommandLine.Run(
        [.. line.Split(' ').Select(word => word.Replace("{dir}", _folder.Path, StringComparison.Ordinal))], new Terminal(_out, _error), _stop);
}
