"""polls of sources, how far they came, where posts came from"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('poll',
    sa.Column('poll_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('run_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('source', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('platform', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('community_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('query', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('terms_version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('finished_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seen', sa.Integer(), nullable=False),
    sa.Column('new_posts', sa.Integer(), nullable=False),
    sa.Column('requests', sa.Integer(), nullable=False),
    sa.Column('waited_s', sa.Float(), nullable=False),
    sa.Column('gaps', sa.JSON(), nullable=False),
    sa.CheckConstraint("(outcome = 'running') = (finished_at IS NULL)", name=op.f('ck_poll_finished_when_not_running')),
    sa.ForeignKeyConstraint(['run_id'], ['run.run_id'], name=op.f('fk_poll_run_id_run')),
    sa.PrimaryKeyConstraint('poll_id', name=op.f('pk_poll'))
    )
    with op.batch_alter_table('poll', schema=None) as batch_op:
        batch_op.create_index('ix_poll_community_id', ['community_id'], unique=False)
        batch_op.create_index('ix_poll_run_id', ['run_id'], unique=False)

    op.create_table('provenance',
    sa.Column('post_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('first_poll_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('first_fetched_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('last_poll_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('last_fetched_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('post_id', name=op.f('pk_provenance'))
    )
    with op.batch_alter_table('provenance', schema=None) as batch_op:
        batch_op.create_index('ix_provenance_last_fetched_at', ['last_fetched_at'], unique=False)

    op.create_table('source_cursor',
    sa.Column('platform', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('community_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('query', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sa.JSON(), nullable=False),
    sa.Column('updated_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('poll_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'community_id', 'query', name=op.f('pk_source_cursor'))
    )


def downgrade() -> None:
    op.drop_table('source_cursor')
    with op.batch_alter_table('provenance', schema=None) as batch_op:
        batch_op.drop_index('ix_provenance_last_fetched_at')

    op.drop_table('provenance')
    with op.batch_alter_table('poll', schema=None) as batch_op:
        batch_op.drop_index('ix_poll_run_id')
        batch_op.drop_index('ix_poll_community_id')

    op.drop_table('poll')
