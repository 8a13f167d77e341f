using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Training;

namespace JepaSharp.Tests.Objectives;

/// <summary>MAE keeps the contract.</summary>
public sealed class MaskedAutoencoderContractTests : ObjectiveContract<MaskedAutoencoder>
{
    internal static PretrainOptions TinyAutoencoder { get; } = PretrainOptions.Parse("""
        data: { crop_size: 32, batch_size: 4, scene_count: 18, scene_size: 32, num_workers: 2 }
        mask: { patch_size: 8 }
        meta: { objective: mae, model_name: vit_tiny, embed_dim: 32, num_heads: 2, depth: 2 }
        mae: { decoder_width: 16, decoder_depth: 1, decoder_heads: 2 }
        optimization: { epochs: 3, warmup: 1, lr: 0.002 }
        logging: { checkpoint_steps: 1 }
        """);

    protected override PretrainOptions Options => TinyAutoencoder;

    protected override MaskedAutoencoder New() => new(new PretrainPlan(Options).MaskedAutoencoder);
}
