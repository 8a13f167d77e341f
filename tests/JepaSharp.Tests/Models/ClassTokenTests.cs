using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>A Vision Transformer with a class token, and with positions that are learned.</summary>
public sealed class ClassTokenTests
{
    [Theory]
    [InlineData(false, false, "pos_embed [1, 16, 32]")]
    [InlineData(true, false, "cls_token [1, 1, 32], pos_embed [1, 17, 32]")]
    [InlineData(true, true, "cls_token [1, 1, 32], pos_embed [1, 17, 32]")]
    [InlineData(false, true, "pos_embed [1, 16, 32]")]
    public void StateDict_HasTheNamesOfTimmAndMae(bool classToken, bool learned, string expected)
    {
        using var encoder = Encoder(classToken, learned);
        var own = encoder.state_dict().Where(w => !w.Key.Contains('.', StringComparison.Ordinal)).OrderBy(w => w.Key, StringComparer.Ordinal);
        Assert.Equal(expected, string.Join(", ", own.Select(w => $"{w.Key} [{string.Join(", ", w.Value.shape)}]")));
        var parameters = encoder.named_parameters().Select(p => p.name).ToList();
        Assert.Equal(classToken, parameters[0] == "cls_token");
        Assert.Equal(learned, parameters.Contains("pos_embed"));
    }

    [Fact]
    public void Positions_ThatAreFixed_HaveARowOfZerosForTheClassToken()
    {
        using var encoder = Encoder(classToken: true, learned: false);
        var table = encoder.state_dict()["pos_embed"].data<float>().ToArray();
        Assert.All(table[..32], number => Assert.Equal(0, number));
        Assert.Equal(PositionTable.SineCosine(4, 4, 32), table[32..]);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(null)]
    public void Outputs_BeginWithTheClassToken_AndChosenPatchesLeaveItOut(ScalarType? precision)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = Encoder(classToken: true, learned: true);
        if (precision is { } chosenPrecision) encoder.ComputeIn(chosenPrecision);
        var images = Waves(2, 3, 32, 32);
        var whole = encoder.forward(images);
        Assert.Equal([2, 17, 32], whole.shape);
        using var all = new PatchSelection([[.. Enumerable.Range(0, 32).Select(i => (long)(i % 16))]], 2, 16, CPU);
        AssertNear(whole, encoder.Encode(images, all));
        AssertNear(whole.narrow(1, 1, 16), encoder.EncodeWhole(images, all));
        using var some = new PatchSelection([[3, 0, 15, 7], [2, 2, 4, 5]], 2, 16, CPU);
        Assert.Equal([4, 3, 32], encoder.Encode(images, some).shape);
        var rows = whole.narrow(1, 1, 16).flatten(0, 1).index_select(0, some.Rows).view(4, 2, 32);
        AssertNear(rows, encoder.EncodeWhole(images, some));
        Assert.All(encoder.LastBlocks(images, 2), tokens => Assert.Equal([2, 17, 32], tokens.shape));
        // Of another size: positions are interpolated, the class token's is not.
        Assert.Equal([2, 25, 32], encoder.forward(Waves(2, 3, 48, 32)).shape);
    }

    [Fact]
    public void ClassToken_SeesThePatches_AndPatchesSeeIt()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = Encoder(classToken: true, learned: false);
        var before = encoder.forward(Waves(1, 3, 32, 32));
        Assert.NotEqual(before.select(1, 0).data<float>().ToArray(), encoder.forward(Waves(1, 3, 32, 32).cos()).select(1, 0).data<float>().ToArray());
        _ = encoder.named_parameters().First().parameter.Add_(Waves(1, 1, 32));
        var after = encoder.forward(Waves(1, 3, 32, 32));
        Assert.NotEqual(before.narrow(1, 1, 16).data<float>().ToArray(), after.narrow(1, 1, 16).data<float>().ToArray());
    }

    private static VisionTransformer Encoder(bool classToken, bool learned)
    {
        var encoder = new VisionTransformer(new VisionTransformerShape
        {
            ImageHeight = 32,
            ImageWidth = 32,
            PatchSize = 8,
            Width = 32,
            Depth = 2,
            Heads = 2,
            MlpWidth = 64,
            ClassToken = classToken,
            LearnedPositions = learned,
        });
        Initialization.Initialize(encoder, 1, 0);
        return encoder;
    }

    private static void AssertNear(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = expected.Subtract(actual).abs().max().item<float>();
        Assert.True(difference <= 1e-5 * expected.abs().max().item<float>(), $"differs by {difference:g3}");
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).mul(0.7.ToScalar()).sin().reshape(shape);
}
