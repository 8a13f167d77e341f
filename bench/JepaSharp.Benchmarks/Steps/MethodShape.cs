using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>A training step of a method other than I-JEPA, as its publication has it.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Batch">B: images.</param>
/// <param name="Yaml">The configuration, but for the batch.</param>
/// <param name="Peer">What the peer is told, but for the batch.</param>
/// <param name="Beside">The shape of I-JEPA's step with the same encoder and batch; null where it is not compared.</param>
internal sealed record MethodShape(string Name, int Batch, string Yaml, string Peer, string? Beside = null)
{
    private const int DecoderSide = 32, Represented = 128;

    /// <summary>Names of those that there are.</summary>
    public static IReadOnlyList<string> Names { get; } = ["mae-tiny", "mae-small", "mae-base", "dino-small", "dino-head", "rcdm"];

    /// <summary>Builds the objective, where the configuration alone cannot: a decoder of representations wants some. Null: it can.</summary>
    public Func<PretrainPlan, Objective>? Create { get; init; }

    /// <summary>The configuration of a step.</summary>
    public PretrainOptions Options
    {
        get
        {
            var options = PretrainOptions.Parse(Yaml);
            return options with { Data = options.Data with { BatchSize = Batch } };
        }
    }

    /// <summary>A method's step by name: MAE with its published decoder of 8 blocks, 512 wide, but for the smallest; DINO with 2 + 8 views and 65,536
    /// outputs; the same behind an encoder of one block, where the head is most of it; RCDM's decoder at the size that pictures of a predictor are
    /// drawn with.</summary>
    /// <exception cref="JepaException">There is none of that name.</exception>
    public static MethodShape Named(string name) => name switch
    {
        "mae-tiny" => Autoencoder("MAE, ViT-Tiny 32/4, decoder of 4 blocks, 96 wide", "tiny", 32, 4, 128, (96, 4, 3)),
        "mae-small" => Autoencoder("MAE, ViT-Small 224/16", "small", 224, 16, 16, (512, 8, 16)),
        "mae-base" => Autoencoder("MAE, ViT-Base 224/16", "base", 224, 16, 16, (512, 8, 16)),
        "dino-small" => new MethodShape(
            "DINO, ViT-Small 224/16, 2 + 8 views, 65,536 outputs", 4, SelfDistillation("vit_small", 8, ""), "--model vit_small --local 8"),
        "dino-head" => new MethodShape(
            "DINO, 1 block 192 wide, 2 + 8 views, 65,536 outputs", 32, SelfDistillation("vit_tiny", 8, ", depth: 1"),
            "--model vit_tiny --depth 1 --local 8"),
        "rcdm" => new MethodShape(
            $"RCDM, decoder of {DecoderSide} pixels, 32 channels times 1, 2, 2", 32,
            $"{{data: {{crop_size: {DecoderSide}}}, mask: {{patch_size: 4}}, meta: {{objective: rcdm, model_name: vit_tiny}}, "
                + "rcdm: {weights: none}, optimization: {clip_grad: 1, weight_decay: 0, final_weight_decay: 0}}",
            $"--image {DecoderSide} --channels 32 --condition {Represented}")
        { Create = Decoder },
        _ => throw new JepaException($"Method \"{name}\" is not known. Use one of {string.Join(", ", Names)}.", isUsage: true),
    };

    /// <summary>The decoder that <c>jepa visualize</c> trains, told random numbers.</summary>
    private static Rcdm Decoder(PretrainPlan plan)
    {
        const int kept = 1024;
        var encoder = new VisionTransformer(
            new VisionTransformerShape
            {
                ImageHeight = DecoderSide,
                ImageWidth = DecoderSide,
                PatchSize = 8,
                Width = 32,
                Depth = 1,
                Heads = 2,
                MlpWidth = 64,
            });
        foreach (var parameter in encoder.parameters()) parameter.requires_grad = false;
        var pairs = new KeptPairs(randn(kept, Represented), encoder, DecoderSide, "random numbers", new Dictionary<string, string>());
        return new Rcdm(PretrainPlan.RcdmOptionsOf(plan.Options.Rcdm, pairs, plan.Seed));
    }

    private static MethodShape Autoencoder(
        string name, string model, int image, int patch, int batch, (int Width, int Depth, int Heads) decoder) => new(
        name, batch,
        FormattableString.Invariant(
            $$"""
            data: {crop_size: {{image}}}
            mask: {patch_size: {{patch}}}
            meta: {objective: mae, model_name: vit_{{model}}}
            mae: {decoder_width: {{decoder.Width}}, decoder_depth: {{decoder.Depth}}, decoder_heads: {{decoder.Heads}}}
            """),
        FormattableString.Invariant(
            $"--model vit_{model} --image {image} --patch {patch} --decoder-dim {decoder.Width} --decoder-depth {decoder.Depth} ")
            + FormattableString.Invariant($"--decoder-heads {decoder.Heads}"),
        model);

    // No dropped branches: the peer drops none either.
    private static string SelfDistillation(string model, int local, string more) => FormattableString.Invariant(
        $$"""
        data: {crop_size: 224}
        mask: {patch_size: 16}
        meta: {objective: dino, model_name: {{model}}{{more}}}
        dino: {drop_path: 0}
        views: {local: {{local}}}
        """);
}
