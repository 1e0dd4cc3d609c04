"""networks keep their identity, and say what changed"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

# What a ranking made is made anew by the next run: rows of an older form are dropped, not guessed at.
RANKED = ('lead_message', 'lead', 'network_voice', 'network')


def upgrade() -> None:
    _forget_ranking()
    op.create_table('network_change',
    sa.Column('run_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('network_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('scope', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('change', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('voices_before', sa.Integer(), nullable=False),
    sa.Column('voices_now', sa.Integer(), nullable=False),
    sa.Column('joined', sa.Integer(), nullable=False),
    sa.Column('departed', sa.Integer(), nullable=False),
    sa.Column('origins', sa.JSON(), nullable=False),
    sa.Column('changed_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('run_id', 'network_id', name=op.f('pk_network_change'))
    )
    with op.batch_alter_table('network_change', schema=None) as batch_op:
        batch_op.create_index('ix_network_change_network_id', ['network_id'], unique=False)
    with op.batch_alter_table('network', schema=None) as batch_op:
        batch_op.add_column(sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False))
        batch_op.add_column(sa.Column('is_gathered', sa.Boolean(), nullable=False))
        batch_op.add_column(sa.Column('willing_voices', sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column('first_seen_at', models.base.UtcDateTime(timezone=True), nullable=False))
        batch_op.add_column(sa.Column('change', sqlmodel.sql.sqltypes.AutoString(), nullable=False))
        batch_op.add_column(sa.Column('voices_before', sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column('joined', sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column('departed', sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column('origins', sa.JSON(), nullable=False))
        batch_op.create_check_constraint(op.f('ck_network_willing_voices_are_voices'), 'willing_voices <= voices')
    with op.batch_alter_table('network_voice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_willing', sa.Boolean(), nullable=False))
    with op.batch_alter_table('lead', schema=None) as batch_op:
        batch_op.add_column(sa.Column('weights_digest', sqlmodel.sql.sqltypes.AutoString(), nullable=False))
        batch_op.add_column(sa.Column('kept_for', sqlmodel.sql.sqltypes.AutoString(), nullable=True))


def downgrade() -> None:
    _forget_ranking()
    with op.batch_alter_table('lead', schema=None) as batch_op:
        batch_op.drop_column('kept_for')
        batch_op.drop_column('weights_digest')
    with op.batch_alter_table('network_voice', schema=None) as batch_op:
        batch_op.drop_column('is_willing')
    with op.batch_alter_table('network', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('ck_network_willing_voices_are_voices'), type_='check')
        for name in ('origins', 'departed', 'joined', 'voices_before', 'change', 'first_seen_at', 'willing_voices', 'is_gathered', 'area'):
            batch_op.drop_column(name)
    with op.batch_alter_table('network_change', schema=None) as batch_op:
        batch_op.drop_index('ix_network_change_network_id')
    op.drop_table('network_change')


def _forget_ranking() -> None:
    for table in RANKED:
        op.execute(sa.table(table).delete())
