"""BibTeX entries of the methods that a recipe can use.

The file is longer than others since it is a list, which grows by an entry for each source.
"""

from __future__ import annotations

__all__ = [
    "ADAPTATION",
    "ADLIF",
    "ALPHA_TIMES",
    "ARCTAN",
    "BEYOND_RATE",
    "BNTT",
    "BRAINTRACE",
    "BRF",
    "CUMULATIVE",
    "DCLS_DELAYS",
    "E_PROP",
    "FPTT",
    "FPTT_SPIKING",
    "GAMMA_MEMORY",
    "GATED_UNITS",
    "LOCALISATION",
    "MLF",
    "OTPE",
    "OTTT",
    "RECTANGLE",
    "REL_PSP",
    "SE_ADLIF",
    "SLAYER",
    "SPIKEMAX",
    "SPIKINGGAMMA",
    "SUPER_SPIKE",
    "TC_LIF",
    "TDBN",
    "TSKIPS",
]

SPIKINGGAMMA = """@article{koopman2026spikinggamma,
  title   = {{SpikingGamma}: Surrogate-Gradient Free and Temporally Precise Online Training of Spiking Neural Networks with Smoothed Delays},
  author  = {Koopman, Roel and Otte, Sebastian and Boht{\\'e}, Sander},
  journal = {arXiv preprint arXiv:2602.01978},
  year    = {2026}
}"""  # noqa: E501

BEYOND_RATE = """@article{yu2025beyond,
  title   = {Beyond Rate Coding: Surrogate Gradients Enable Spike Timing Learning in Spiking Neural Networks},
  author  = {Yu, Ziqiao and Sun, Pengfei and Akarca, Danyal and Goodman, Dan F. M.},
  journal = {arXiv preprint arXiv:2507.16043},
  year    = {2025}
}"""

GAMMA_MEMORY = """@article{devries1992gamma,
  title   = {The gamma model: a new neural model for temporal processing},
  author  = {de Vries, Bert and Principe, Jose C.},
  journal = {Neural Networks},
  volume  = {5},
  number  = {4},
  pages   = {565--576},
  year    = {1992}
}"""

ADAPTATION = """@inproceedings{bohte2012efficient,
  title     = {Efficient Spike-Coding with Multiplicative Adaptation in a Spike Response Model},
  author    = {Bohte, Sander M.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {25},
  year      = {2012}
}"""

LOCALISATION = """@article{jeffress1948place,
  title   = {A place theory of sound localization},
  author  = {Jeffress, Lloyd A.},
  journal = {Journal of Comparative and Physiological Psychology},
  volume  = {41},
  number  = {1},
  pages   = {35--39},
  year    = {1948}
}"""

SUPER_SPIKE = """@article{zenke2018superspike,
  title   = {{SuperSpike}: Supervised Learning in Multilayer Spiking Neural Networks},
  author  = {Zenke, Friedemann and Ganguli, Surya},
  journal = {Neural Computation},
  volume  = {30},
  number  = {6},
  pages   = {1514--1541},
  year    = {2018}
}"""

ARCTAN = """@inproceedings{fang2021incorporating,
  title     = {Incorporating Learnable Membrane Time Constant to Enhance Learning of Spiking Neural Networks},
  author    = {Fang, Wei and Yu, Zhaofei and Chen, Yanqi and Masquelier, Timoth{\\'e}e and Huang, Tiejun and Tian, Yonghong},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision},
  year      = {2021}
}"""

SLAYER = """@inproceedings{shrestha2018slayer,
  title     = {{SLAYER}: Spike Layer Error Reassignment in Time},
  author    = {Shrestha, Sumit Bam and Orchard, Garrick},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {31},
  year      = {2018}
}"""

E_PROP = """@article{bellec2020solution,
  title   = {A solution to the learning dilemma for recurrent networks of spiking neurons},
  author  = {Bellec, Guillaume and Scherr, Franz and Subramoney, Anand and Hajek, Elias and Salaj, Darjan
             and Legenstein, Robert and Maass, Wolfgang},
  journal = {Nature Communications},
  volume  = {11},
  pages   = {3625},
  year    = {2020}
}"""

OTTT = """@inproceedings{xiao2022online,
  title     = {Online Training Through Time for Spiking Neural Networks},
  author    = {Xiao, Mingqing and Meng, Qingyan and Zhang, Zongpeng and He, Di and Lin, Zhouchen},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {35},
  year      = {2022}
}"""

SPIKEMAX = """@inproceedings{shrestha2022spikemax,
  title     = {{Spikemax}: Spike-based Loss Methods for Classification},
  author    = {Shrestha, Sumit Bam and Zhu, Longwei and Sun, Pengfei},
  booktitle = {International Joint Conference on Neural Networks},
  year      = {2022}
}"""

CUMULATIVE = """@article{bittar2022surrogate,
  title   = {A surrogate gradient spiking baseline for speech command recognition},
  author  = {Bittar, Alexandre and Garner, Philip N.},
  journal = {Frontiers in Neuroscience},
  volume  = {16},
  year    = {2022}
}"""

GATED_UNITS = """@inproceedings{cho2014learning,
  title     = {Learning Phrase Representations using {RNN} Encoder-Decoder for Statistical Machine Translation},
  author    = {Cho, Kyunghyun and van Merri{\\"e}nboer, Bart and Gulcehre, Caglar and Bahdanau, Dzmitry and Bougares, Fethi
               and Schwenk, Holger and Bengio, Yoshua},
  booktitle = {Proceedings of the Conference on Empirical Methods in Natural Language Processing},
  pages     = {1724--1734},
  year      = {2014}
}"""

RECTANGLE = """@article{wu2018spatio,
  title   = {Spatio-Temporal Backpropagation for Training High-Performance Spiking Neural Networks},
  author  = {Wu, Yujie and Deng, Lei and Li, Guoqi and Zhu, Jun and Shi, Luping},
  journal = {Frontiers in Neuroscience},
  volume  = {12},
  pages   = {331},
  year    = {2018}
}"""


TDBN = """@inproceedings{zheng2021going,
  title     = {Going Deeper With Directly-Trained Larger Spiking Neural Networks},
  author    = {Zheng, Hanle and Wu, Yujie and Deng, Lei and Hu, Yifan and Li, Guoqi},
  booktitle = {Proceedings of the AAAI Conference on Artificial Intelligence},
  volume    = {35},
  year      = {2021}
}"""

BNTT = """@article{kim2021revisiting,
  title   = {Revisiting Batch Normalization for Training Low-Latency Deep Spiking Neural Networks From Scratch},
  author  = {Kim, Youngeun and Panda, Priyadarshini},
  journal = {Frontiers in Neuroscience},
  volume  = {15},
  year    = {2021}
}"""

DCLS_DELAYS = """@inproceedings{hammouamri2024learning,
  title     = {Learning Delays in Spiking Neural Networks using Dilated Convolutions with Learnable Spacings},
  author    = {Hammouamri, Ilyass and Khalfaoui-Hassani, Ismail and Masquelier, Timoth{\\'e}e},
  booktitle = {International Conference on Learning Representations},
  year      = {2024}
}"""

TSKIPS = """@article{malettira2025tskips,
  title   = {{TSkips}: Efficiency Through Explicit Temporal Delay Connections in Spiking Neural Networks},
  author  = {Malettira, Prajna G. and Negi, Shubham and Ponghiran, Wachirawit and Roy, Kaushik},
  journal = {Transactions on Machine Learning Research},
  year    = {2025}
}"""

BRAINTRACE = """@article{wang2024braintrace,
  title   = {{BrainScale}: Enabling Scalable Online Learning in Spiking Neural Networks},
  author  = {Wang, Chaoming and Dong, Xingsi and Ji, Zilong and Jiang, Jiedong and Liu, Xiao and Wu, Si},
  journal = {bioRxiv 2024.09.24.614728},
  year    = {2024}
}"""

OTPE = """@article{summe2023estimating,
  title   = {Estimating Post-Synaptic Effects for Online Training of Feed-Forward {SNNs}},
  author  = {Summe, Thomas and Schaefer, Clemens J. S. and Joshi, Siddharth},
  journal = {arXiv preprint arXiv:2311.16151},
  year    = {2023}
}"""

FPTT = """@inproceedings{kag2021training,
  title     = {Training Recurrent Neural Networks via Forward Propagation Through Time},
  author    = {Kag, Anil and Saligrama, Venkatesh},
  booktitle = {International Conference on Machine Learning},
  year      = {2021}
}"""

FPTT_SPIKING = """@article{yin2023accurate,
  title   = {Accurate online training of dynamical spiking neural networks through Forward Propagation Through Time},
  author  = {Yin, Bojian and Corradi, Federico and Boht{\\'e}, Sander M.},
  journal = {Nature Machine Intelligence},
  volume  = {5},
  pages   = {518--527},
  year    = {2023}
}"""

REL_PSP = """@article{zhang2021rectified,
  title   = {Rectified Linear Postsynaptic Potential Function for Backpropagation in Deep Spiking Neural Networks},
  author  = {Zhang, Malu and Wang, Jiadong and Wu, Jibin and Belatreche, Ammar and Amornpaisannon, Burin and Zhang, Zhixuan
             and Miriyala, Venkata Pavan Kumar and Qu, Hong and Chua, Yansong and Carlson, Trevor E. and Li, Haizhou},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  year    = {2021}
}"""

ALPHA_TIMES = """@article{comsa2021temporal,
  title   = {Temporal Coding in Spiking Neural Networks With Alpha Synaptic Function: Learning With Backpropagation},
  author  = {Com{\\c{s}}a, Iulia-Maria and Potempa, Krzysztof and Versari, Luca and Fischbacher, Thomas and Gesmundo, Andrea
             and Alakuijala, Jyrki},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  year    = {2021}
}"""

ADLIF = """@article{bittar2022surrogate,
  title   = {A surrogate gradient spiking baseline for speech command recognition},
  author  = {Bittar, Alexandre and Garner, Philip N.},
  journal = {Frontiers in Neuroscience},
  volume  = {16},
  year    = {2022}
}"""

BRF = """@inproceedings{higuchi2024balanced,
  title     = {Balanced Resonate-and-Fire Neurons},
  author    = {Higuchi, Saya and Kairat, Sebastian and Boht{\\'e}, Sander M. and Otte, Sebastian},
  booktitle = {International Conference on Machine Learning},
  year      = {2024}
}"""

MLF = """@inproceedings{feng2022multi,
  title     = {Multi-Level Firing with Spiking {DS-ResNet}:
               Enabling Better and Deeper Directly-Trained Spiking Neural Networks},
  author    = {Feng, Lang and Liu, Qianhui and Tang, Huajin and Ma, De and Pan, Gang},
  booktitle = {International Joint Conference on Artificial Intelligence},
  year      = {2022}
}"""

SE_ADLIF = """@article{baronig2024advancing,
  title   = {Advancing Spatio-Temporal Processing in Spiking Neural Networks through Adaptation},
  author  = {Baronig, Maximilian and Ferrand, Romain and Sabathiel, Silvester and Legenstein, Robert},
  journal = {arXiv preprint arXiv:2408.07517},
  year    = {2024}
}"""

TC_LIF = """@inproceedings{zhang2024tc,
  title     = {{TC-LIF}: A Two-Compartment Spiking Neuron Model for Long-Term Sequential Modelling},
  author    = {Zhang, Shimin and Yang, Qu and Ma, Chenxiang and Wu, Jibin and Li, Haizhou and Tan, Kay Chen},
  booktitle = {AAAI Conference on Artificial Intelligence},
  pages     = {16838--16847},
  year      = {2024}
}"""
