namespace JepaSharp.Tests.BadInput;

/// <summary>Configurations that cannot be meant.</summary>
internal static class ConfigurationCases
{
    private static readonly (string Name, string Yaml, string Says)[] Texts =
    [
        ("a section mistyped", "optimisation:\n  lr: 0.1\n", "optimization"),
        ("a key mistyped", "data:\n  crop_siz: 32\n", "crop_size"),
        ("a key in the wrong section", "data:\n  lr: 0.1\n", "optimization.lr"),
        ("a key twice", "data:\n  batch_size: 2\n  batch_size: 3\n", "second time"),
        ("a number that is a word", "optimization:\n  epochs: many\n", "many"),
        ("a whole number with a fraction", "optimization:\n  epochs: 1.5\n", "1.5"),
        ("a whole number beyond any", "optimization:\n  epochs: 99999999999\n", "99999999999"),
        ("a decimal comma", "optimization:\n  lr: 0,001\n", "0,001"),
        ("an infinite learning rate", "optimization:\n  lr: .inf\n", ".inf"),
        ("a learning rate that is no number", "optimization:\n  lr: .nan\n", ".nan"),
        ("a learning rate below zero", "optimization:\n  lr: -0.1\n", "optimization.lr"),
        ("a last learning rate above the highest", "optimization:\n  lr: 0.001\n  final_lr: 0.1\n", "final_lr"),
        ("a warm-up longer than the run", "optimization:\n  epochs: 2\n  warmup: 5\n", "warmup"),
        ("no epochs", "optimization:\n  epochs: 0\n", "epochs"),
        ("a weight decay below zero", "optimization:\n  weight_decay: -1\n", "weight_decay"),
        ("a momentum above one", "optimization:\n  ema: [0.9, 1.5]\n", "ema"),
        ("a momentum that falls", "optimization:\n  ema: [0.99, 0.9]\n", "ema"),
        ("a beta of one", "optimization:\n  beta1: 1.0\n", "beta1"),
        ("an epsilon of zero", "optimization:\n  eps: 0\n", "eps"),
        ("clipping to nothing", "optimization:\n  clip_grad: 0\n", "clip_grad"),
        ("skipping fewer steps than none", "optimization:\n  skip_non_finite: -1\n", "skip_non_finite"),
        ("accumulation of no batches", "optimization:\n  accumulate: 0\n", "accumulate"),
        ("a loss that there is none", "optimization:\n  loss: cosine\n", "cosine"),
        ("a batch of no images", "data:\n  batch_size: 0\n", "batch_size"),
        ("a batch of less than none", "data:\n  batch_size: -4\n", "batch_size"),
        ("a crop of no pixels", "data:\n  crop_size: 0\n", "crop_size"),
        ("a crop too large for memory", "data:\n  crop_size: 1000000\n", "crop_size"),
        ("a crop that patches do not divide", "data:\n  crop_size: 33\nmask:\n  patch_size: 8\n", "patch_size"),
        ("a scale upside down", "data:\n  crop_scale: [0.9, 0.3]\n", "crop_scale"),
        ("a scale of one number", "data:\n  crop_scale: [0.3]\n", "crop_scale"),
        ("a deviation of zero", "data:\n  std: [0.2, 0, 0.2]\n", "std"),
        ("a mean of two channels", "data:\n  mean: [0.5, 0.5]\n", "mean"),
        ("an interpolation that there is none", "data:\n  interpolation: cubic\n", "bicubic"),
        ("truth as a number", "data:\n  pin_mem: 1\n", "pin_mem"),
        ("a patch of no pixels", "mask:\n  patch_size: 0\n", "patch_size"),
        ("a patch larger than the image", "data:\n  crop_size: 32\nmask:\n  patch_size: 64\n", "patch_size"),
        ("no target blocks", "mask:\n  num_pred_masks: 0\n", "num_pred_masks"),
        ("a grid too small for its masks", "data:\n  crop_size: 32\nmask:\n  patch_size: 16\n  min_keep: 10\n", "min_keep"),
        ("a target larger than the image", "mask:\n  pred_mask_scale: [0.5, 1.5]\n", "pred_mask_scale"),
        ("a strategy that there is none", "mask:\n  strategy: checkerboard\n", "rasterized"),
        ("a key that the strategy does not read", "mask:\n  strategy: block\n  num_pred_masks: 2\n", "mask.strategy block does not read it"),
        ("quarters of an odd grid", "data:\n  crop_size: 240\nmask:\n  strategy: rasterized\n", "14x14 or 16x16: data.crop_size 224 or 256"),
        ("quarters too small", "data:\n  crop_size: 64\nmask:\n  strategy: rasterized\n", "data.crop_size 128 or more"),
        ("a target that is everything", "mask:\n  strategy: random\n  target_share: [0.5, 1.0]\n", "smaller mask.target_share"),
        ("a length of half a batch", "data:\n  batch_size: 32\nmask:\n  images_per_length: 48\n", "such as 32 or 64"),
        ("a share of more than everything", "mask:\n  strategy: block\n  target_share: [0.5, 1.5]\n", "target_share"),
        ("a target that there is none", "ijepa:\n  target: colours\n", "plain_pixels"),
        ("pixels masked at the input of an encoder", "ijepa:\n  target: pixels\n  mask_target: input\n", "ijepa.mask_target"),
        ("a decoder of no weights", "meta:\n  objective: rcdm\n", "rcdm.weights"),
        ("a decoder of channels that no norm divides", "meta:\n  objective: rcdm\nrcdm:\n  weights: w\n  channels: 48\n", "a multiple of 32"),
        ("a decoder that cannot be halved", "meta:\n  objective: rcdm\nrcdm:\n  weights: w\n  size: 30\n", "a multiple of 4"),
        ("a decoder of levels that are none", "meta:\n  objective: rcdm\nrcdm:\n  weights: w\n  multipliers: 1,two\n", "rcdm.multipliers"),
        ("a model that there is none", "meta:\n  model_name: resnet50\n", "resnet50"),
        ("heads that do not divide the width", "meta:\n  embed_dim: 100\n  num_heads: 7\n", "num_heads"),
        ("a network without blocks", "meta:\n  depth: 0\n", "depth"),
        ("a seed below zero", "meta:\n  seed: -1\n", "seed"),
        ("a checkpoint to load", "meta:\n  load_checkpoint: true\n", "load_checkpoint"),
        ("a precision that there is none", "meta:\n  precision: fp8\n", "fp8"),
        ("checkpoints every no epochs", "logging:\n  checkpoint_every: 0\n", "checkpoint_every"),
        ("checkpoints every no steps", "logging:\n  checkpoint_steps: 0\n", "checkpoint_steps"),
        ("no checkpoints kept", "logging:\n  keep_last: 0\n", "keep_last"),
        ("a tag with slashes", "logging:\n  write_tag: a/b\n", "write_tag"),
        ("a text", "hello", "hello"),
        ("a list", "- data\n- mask\n", "sections"),
        ("a bracket left open", "data:\n  crop_scale: [0.3, 1.0\n", "YAML"),
        ("a quote left open", "meta:\n  model_name: \"vit\n", "YAML"),
        ("tabs", "data:\n\tcrop_size: 32\n", "tab"),
        ("an anchor", "data: &a\n  batch_size: 1\n", "anchor"),
        ("two documents", "data:\n  batch_size: 1\n---\nmask:\n", "second document"),
        ("a thousand "
            + "laughs",
            "data: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
            "c.yaml"),
        ("two mistakes at once", "data:\n  batch_size: 0\noptimization:\n  epochs: 0\n", "optimization.epochs"),
    ];

    public static IEnumerable<BadCase> All =>
    [
        .. Texts.Select(t => new BadCase("a configuration with " + t.Name, 2, t.Says, "pretrain DIR/c.yaml --data DIR --out DIR/run", folder =>
        {
            Photos.Make(folder);
            File.WriteAllText(Path.Combine(folder, "c.yaml"), t.Yaml);
        })),
        new("a configuration that is not there", 2, "DIR/none.yaml", "pretrain DIR/none.yaml --out DIR/run"),
        new("a configuration that is a folder", 2, "DIR", "pretrain DIR --out DIR/run"),
        new("a configuration of bytes", 2, "c.yaml", "pretrain DIR/c.yaml --out DIR/run", Photos.File1("c.yaml", [0, 1, 2, 0xff, 0xfe, 0, 9])),
        new("a configuration that is a picture", 2, "c.yaml", "pretrain DIR/c.yaml --out DIR/run", Photos.File1("c.yaml", Photos.Png)),
        new("a configuration of nothing but brackets", 2, "c.yaml", "pretrain DIR/c.yaml --out DIR/run", Photos.Text(
            "c.yaml", new string('[', 100_000))),
    ];
}
