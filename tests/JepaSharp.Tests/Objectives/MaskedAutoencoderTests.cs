using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Objectives;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Objectives;

public sealed class MaskedAutoencoderTests
{
    private static readonly MaskedAutoencoderOptions Options = new PretrainPlan(MaskedAutoencoderContractTests.TinyAutoencoder).MaskedAutoencoder;

    [Theory]
    [InlineData(196, 0.75, 49)]
    [InlineData(256, 0.75, 64)]
    [InlineData(100, 0.9, 9)]
    [InlineData(25, 0.8, 4)]
    [InlineData(16, 0.7, 4)]
    public void Kept_OfPublishedRatios_IsRoundedDownAsDoublesAre(int patches, double ratio, int kept) =>
        Assert.Equal(kept, RandomPatches.KeptOf(patches, ratio));

    [Fact]
    public void Masks_OfNoise_KeepTheSmallestInTheirOrder()
    {
        var masks = RandomPatches.FromNoise([0.5, 0.1, 0.9, 0.1, 0, 1, 0.2, 0.3], patches: 4, ratio: 0.5);
        Assert.Equal([1, 3, 0, 2], masks.KeptPatches());
        Assert.Equal([0, 2, 3, 1], masks.RemovedPatches());
        Assert.Equal([2, 0, 3, 1, 0, 3, 1, 2], masks.Places());
        Assert.Equal([true, false, true, false, false, true, false, true], masks.Removed());
        var blocks = masks.ToBlocks(new PatchGrid(2, 2));
        Assert.Equal([1, 3, 0, 2], blocks.Context(0).ToArray());
        Assert.Equal([0, 2, 1, 3], blocks.Target(0).ToArray());
    }

    [Fact]
    public void Masks_OfManyImages_KeepEveryPatchEquallyOften()
    {
        using var objective = new MaskedAutoencoder(Options, META);
        var counts = new int[16];
        var masks = objective.DrawMasks([.. Enumerable.Range(0, 4000)], Step.Untracked(1));
        foreach (var patch in masks.KeptPatches()) counts[patch]++;
        Assert.All(counts, count => Assert.InRange(count, 1000 - 140, 1000 + 140)); // 5 deviations
    }

    [Fact]
    public void Masks_OfAnImage_DependOnSeedBatchAndImageAlone()
    {
        using var objective = new MaskedAutoencoder(Options, META);
        long[] Kept(int[] images, ulong seed, long batch) => objective.DrawMasks(images, Step.Untracked(seed, batch)).KeptPatches();
        Assert.Equal(Kept([7, 9], 3, 4)[4..], Kept([9], 3, 4));
        Assert.NotEqual(Kept([9], 3, 4), Kept([9], 3, 5));
        Assert.NotEqual(Kept([9], 3, 4), Kept([9], 2, 4));
        Assert.NotEqual(Kept([9], 3, 4), Kept([8], 3, 4));
    }

    /// <summary>The formulas of the paper, the slow way round.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Loss_OfABatch_IsTheSquaredErrorOnRemovedPatches(bool normalized)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var objective = new MaskedAutoencoder(Options with { NormalizesPatches = normalized });
        var images = arange(2 * 3 * 32 * 32, float32).mul(0.013).sin().view(2, 3, 32, 32);
        var drawn = objective.DrawMasks([0, 1], Step.Untracked(0));
        using var masks = AutoencoderMasks.Of(drawn, CPU);
        var predicted = objective.Decoder.PredictInOrder(objective.Encoder.Encode(images, masks.Kept), masks.Kept, masks.Removed);
        var (sum, count, removed) = (0.0, 0, drawn.Removed());
        for (var image = 0; image < 2; image++)
        {
            for (var patch = 0; patch < 16; patch++)
            {
                if (!removed[(image * 16) + patch]) continue;
                var pixels = new List<double>();
                for (var i = 0; i < 8 * 8 * 3; i++)
                    pixels.Add(images[image, i % 3, (patch / 4 * 8) + (i / 24), (patch % 4 * 8) + (i / 3 % 8)].item<float>());
                var mean = normalized ? pixels.Average() : 0;
                var scale = normalized ? Math.Sqrt((pixels.Sum(p => (p - mean) * (p - mean)) / (pixels.Count - 1)) + 1e-6) : 1;
                for (var i = 0; i < pixels.Count; i++, count++)
                    sum += Math.Pow(predicted[image, patch, i].item<float>() - ((pixels[i] - mean) / scale), 2);
            }
        }

        Assert.Equal(2 * 12 * 192, count);
        Assert.Equal(sum / count, objective.Loss(images, masks).to(float64).item<double>(), 1e-5);
    }

    [Fact]
    public void Encoding_OfKeptPatches_DoesNotSeeTheOthers()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var objective = new MaskedAutoencoder(Options);
        using var masks = AutoencoderMasks.Of(objective.DrawMasks([0], Step.Untracked(0)), CPU);
        var images = rand(1, 3, 32, 32);
        var hidden = images.clone();
        foreach (var patch in objective.DrawMasks([0], Step.Untracked(0)).RemovedPatches())
            _ = hidden.narrow(2, patch / 4 * 8, 8).narrow(3, patch % 4 * 8, 8).zero_();
        Assert.True(objective.Encoder.Encode(images, masks.Kept).allclose(objective.Encoder.Encode(hidden, masks.Kept)));
    }

    [Fact]
    public void Weights_AtFirst_AreDrawnAsPublished()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var objective = new MaskedAutoencoder(Options with { Encoder = Options.Encoder with { Width = 256, MlpWidth = 1024, Heads = 4 } });
        var state = objective.Encoder.state_dict();
        void Bound(string name, double bound) => Assert.InRange(state[name].abs().max().item<float>(), 0.95 * bound, bound);
        Bound("blocks.0.attn.qkv.weight", Math.Sqrt(6.0 / (256 + 768)));
        Bound("blocks.1.mlp.fc1.weight", Math.Sqrt(6.0 / (256 + 1024)));
        Bound("patch_embed.proj.weight", Math.Sqrt(6.0 / (192 + 256)));
        Bound("patch_embed.proj.bias", 1 / Math.Sqrt(192));
        Assert.InRange(state["cls_token"].std().item<float>(), 0.016, 0.024);
        Assert.InRange(objective.Decoder.state_dict()["mask_token"].abs().max().item<float>(), 0.01, 0.1);
        Assert.Equal(0, state["blocks.0.mlp.fc1.bias"].abs().max().item<float>());
        Assert.Equal(1, state["norm.weight"].min().item<float>());
        Assert.Equal(0, state["norm.bias"].abs().max().item<float>());
    }

    [Fact]
    public void Pictures_OfAnImage_KeepWhatIsSeenAndGuessTheRest()
    {
        using var objective = new MaskedAutoencoder(Options);
        RgbImage[] images = [.. Enumerable.Range(0, 2).Select(i => ImageOf(i))];
        var masks = objective.DrawMasks([0, 1], Step.Untracked(0));
        var guessed = Reconstructions.Guessed(objective, images, masks);
        var removed = masks.Removed();
        for (var i = 0; i < 2; i++)
        {
            var changed = 0;
            for (var at = 0; at < 32 * 32 * 3; at++)
            {
                var (y, x) = (at / 3 / 32, at / 3 % 32);
                if (removed[(i * 16) + (y / 8 * 4) + (x / 8)]) changed += guessed[i].Pixels[at] == images[i].Pixels[at] ? 0 : 1;
                else Assert.Equal(images[i].Pixels[at], guessed[i].Pixels[at]);
            }

            Assert.True(changed > 100);
        }

        var drawn = objective.Draw(images, [0, 1], Step.Untracked(0), zoom: 2);
        Assert.Equal(2, drawn.Rows.Count);
        Assert.All(drawn.Rows, row => Assert.All(row, p => Assert.Equal(64, p.Picture.Width)));
    }

    private static RgbImage ImageOf(int index)
    {
        var pixels = new byte[32 * 32 * 3];
        for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)((i * 7) + (index * 31) + (i / 96 * 5));
        return new RgbImage(32, 32, pixels);
    }
}
